/** What an article must keep to before the bank says it to a customer: one small check for each rule. */

import type { ArticleFile, FrontField, Problem } from './article.ts';
import { comparable } from './tokenize.ts';
import type { Topic } from './topics.ts';
import type { Article } from './types.ts';

/** Checks one file by itself. */
export function checkArticle(file: ArticleFile, topics: ReadonlyMap<string, Topic>): Problem[] {
  return [
    ...checkName(file),
    ...checkTopics(file, topics),
    ...checkDates(file),
    ...checkApproval(file),
    ...checkPhrasings(file),
    ...checkBody(file),
    ...checkWords(file),
  ];
}

/** Checks the files against each other. */
export function checkLibrary(files: readonly ArticleFile[]): Problem[] {
  return [...checkTranslations(files), ...checkRelated(files), ...checkSharedPhrasings(files)];
}

function problem(file: ArticleFile, line: number, message: string): Problem {
  return { file: file.file, line, message };
}

function checkName(file: ArticleFile): Problem[] {
  const [id, lang] = file.file.split('/').at(-1)?.split('.') ?? [];
  const problems: Problem[] = [];
  if (file.article.id !== id)
    problems.push(
      problem(file, file.lineOf('id'), `id is ${file.article.id}, but the file is named ${id}: make them equal`),
    );
  if (file.article.lang !== lang)
    problems.push(
      problem(
        file,
        file.lineOf('lang'),
        `lang is ${file.article.lang}, but the file is named .${lang}.md: make them equal`,
      ),
    );
  return problems;
}

function checkTopics(file: ArticleFile, topics: ReadonlyMap<string, Topic>): Problem[] {
  return file.article.intents.flatMap((intent, index) =>
    topics.has(intent)
      ? []
      : [problem(file, file.lineOf('intents', index), `${intent} is not a topic: use an id of intents/topics.tsv`)],
  );
}

function checkDates(file: ArticleFile): Problem[] {
  const { validFrom, validTo } = file.article;
  if (validTo === null || validFrom < validTo) return [];
  return [
    problem(
      file,
      file.lineOf('valid_to'),
      `valid_to ${validTo} is not after valid_from ${validFrom}: it would never be served`,
    ),
  ];
}

function checkApproval(file: ArticleFile): Problem[] {
  const { approvedBy, approvedAt } = file.article;
  if ((approvedBy === null) === (approvedAt === null)) return [];
  return [
    problem(
      file,
      file.lineOf(approvedBy === null ? 'approved_at' : 'approved_by'),
      'approved_by and approved_at come together: write both, or neither for a draft',
    ),
  ];
}

function checkPhrasings(file: ArticleFile): Problem[] {
  const seen = new Set<string>();
  return file.article.phrasings.flatMap((phrasing, index) => {
    const key = comparable(phrasing);
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      problem(
        file,
        file.lineOf('phrasings', index),
        `"${phrasing}" is written twice: replace it by another way of asking`,
      ),
    ];
  });
}

const HTML = /<\/?[a-z!][^>]*>|&(?:[a-z]+|#\d+);/i;
const PLACEHOLDER = /\{\{(?!rates:[a-z]+(?:-[a-z]+)*\}\})/;

function checkBody(file: ArticleFile): Problem[] {
  const { body } = file.article;
  if (body === '')
    return [problem(file, file.lineOf('body'), 'the body is empty: write what the customer should read')];
  const problems: Problem[] = [];
  const html = HTML.exec(body);
  if (html) problems.push(problem(file, file.bodyLine(html.index), `${html[0]} is HTML: write Markdown`));
  const placeholder = PLACEHOLDER.exec(body);
  if (placeholder)
    problems.push(
      problem(
        file,
        file.bodyLine(placeholder.index),
        'this placeholder is unknown: the only kind is {{rates:<table>}}',
      ),
    );
  return problems;
}

/** A bank never recommends or promises a return. Saying that it does not is right, and is approved in these words only. */
const NEGATIONS = /(?<!不得)(?:不保本|不保证|不承诺|不构成推荐)|\bnot (?:guaranteed|a recommendation)\b/gi;
const BARRED = /推荐|保证|稳赚|保本|\bguarante\w*|\brecommend\w*/gi;

/** The words that may not be said, with their places. */
export function barredWords(text: string): readonly { readonly word: string; readonly offset: number }[] {
  const said = text.replace(NEGATIONS, (negation) => ' '.repeat(negation.length));
  return [...said.matchAll(BARRED)].map((match) => ({ word: match[0], offset: match.index }));
}

function checkWords(file: ArticleFile): Problem[] {
  const advice =
    'the bank informs, it never recommends or promises: say it another way, or in an approved negation (不保本, 不保证, 不承诺, 不构成推荐, not guaranteed, not a recommendation)';
  const title = barredWords(file.article.title).map(({ word }) =>
    problem(file, file.lineOf('title'), `"${word}" is barred: ${advice}`),
  );
  const body = barredWords(file.article.body).map(({ word, offset }) =>
    problem(file, file.bodyLine(offset), `"${word}" is barred: ${advice}`),
  );
  return [...title, ...body];
}

function checkTranslations(files: readonly ArticleFile[]): Problem[] {
  const chinese = byId(files.filter((file) => file.article.lang === 'zh'));
  const english = byId(files.filter((file) => file.article.lang === 'en'));
  return [
    ...[...chinese.values()].flatMap((file) => missingTranslation(file, english, 'en')),
    ...[...english.values()].flatMap((file) => {
      const original = chinese.get(file.article.id);
      return original ? compare(original, file) : missingTranslation(file, chinese, 'zh');
    }),
  ];
}

function byId(files: readonly ArticleFile[]): ReadonlyMap<string, ArticleFile> {
  return new Map(files.map((file) => [file.article.id, file]));
}

function missingTranslation(file: ArticleFile, others: ReadonlyMap<string, ArticleFile>, lang: string): Problem[] {
  if (others.has(file.article.id)) return [];
  return [problem(file, 1, `there is no ${file.article.id}.${lang}.md: an answer exists in both languages or in none`)];
}

const SAME: readonly (readonly [FrontField, (article: Article) => unknown])[] = [
  ['intents', (article) => article.intents],
  ['audience', (article) => article.audience],
  ['valid_from', (article) => article.validFrom],
  ['valid_to', (article) => article.validTo],
  ['review_by', (article) => article.reviewBy],
  ['risk', (article) => article.risk],
  ['version', (article) => article.version],
];

/** The same answer in two languages: shown to the same people on the same days, with the same figures. */
function compare(chinese: ArticleFile, english: ArticleFile): Problem[] {
  const fields = SAME.flatMap(([field, value]) => {
    const [mine, theirs] = [JSON.stringify(value(english.article)), JSON.stringify(value(chinese.article))];
    if (mine === theirs) return [];
    return [
      problem(
        english,
        english.lineOf(field),
        `${field} is ${mine} here and ${theirs} in ${chinese.file}: make them equal`,
      ),
    ];
  });
  const [mine, theirs] = [numbersIn(english.article.body), numbersIn(chinese.article.body)];
  const odd = [...difference(mine, theirs), ...difference(theirs, mine)];
  if (odd.length === 0) return fields;
  return [
    ...fields,
    problem(
      english,
      english.lineOf('body'),
      `the figures differ from ${chinese.file}: ${odd.join(', ')} stands in only one of them`,
    ),
  ];
}

/** Figures as values: 50 万 and 500,000 are the same, 09:30 is 9 and 30. */
export function numbersIn(text: string): readonly string[] {
  const said = text.replace(/\{\{[^}]*\}\}/g, ' ').matchAll(/(\d[\d,]*(?:\.\d+)?)\s*([万亿])?/g);
  return [...said].map(([, digits = '', scale]) => {
    const value = Number(digits.replaceAll(',', '')) * (scale === '万' ? 10_000 : scale === '亿' ? 100_000_000 : 1);
    return String(value);
  });
}

/** What is left of `these` when each of `those` has taken one equal away. */
function difference(these: readonly string[], those: readonly string[]): string[] {
  const left = [...those];
  return these.filter((value) => {
    const place = left.indexOf(value);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

function checkRelated(files: readonly ArticleFile[]): Problem[] {
  const known = byId(files);
  return files.flatMap((file) =>
    file.article.related.flatMap((id, index) => {
      if (id === file.article.id)
        return [problem(file, file.lineOf('related', index), 'an article is not related to itself: remove it')];
      return known.has(id)
        ? []
        : [problem(file, file.lineOf('related', index), `there is no article ${id}: correct the id or remove it`)];
    }),
  );
}

/** One sentence cannot ask for two things: the search would have to guess. */
function checkSharedPhrasings(files: readonly ArticleFile[]): Problem[] {
  const owners = new Map<string, ArticleFile>();
  return files.flatMap((file) =>
    file.article.phrasings.flatMap((phrasing, index) => {
      const key = `${file.article.lang} ${comparable(phrasing)}`;
      const owner = owners.get(key);
      owners.set(key, owner ?? file);
      if (!owner || owner === file || replaces(owner.article, file.article)) return [];
      return [
        problem(
          file,
          file.lineOf('phrasings', index),
          `"${phrasing}" also stands in ${owner.file}: keep it where it belongs`,
        ),
      ];
    }),
  );
}

/** An article and the one that takes its place later may ask the same: they are never valid on the same day. */
function replaces(one: Article, other: Article): boolean {
  return (
    (one.validTo !== null && one.validTo <= other.validFrom) ||
    (other.validTo !== null && other.validTo <= one.validFrom)
  );
}
