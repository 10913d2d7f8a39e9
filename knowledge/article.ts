/** The bank's approved answers: reads and checks the article files, and says which may be shown to whom and when. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { checkArticle, checkLibrary } from './article-rules.ts';
import { readTopics } from './topics.ts';
import type { Article, Audience, Language } from './types.ts';

/** One thing wrong with one file, in words an editor can act on. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** An article with the place each part of it was read from, so that a problem can name its line. */
export interface ArticleFile {
  readonly file: string;
  readonly article: Article;
  lineOf(field: FrontField | 'body', index?: number): number;
  /** Where a place in the body lies in the file. */
  bodyLine(offset: number): number;
}

/** The articles cannot be used as they are. Lists every problem found, not just the first. */
export class ArticleError extends Error {
  readonly code = 'article_refused';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const list = problems.map(({ file, line, message }) => `  ${file}:${line}: ${message}`).join('\n');
    super(`${problems.length} problem(s) in the knowledge articles. Nothing was loaded.\n${list}`);
    this.name = 'ArticleError';
    this.problems = problems;
  }
}

const date = z.iso.date('write a calendar date as YYYY-MM-DD, for example 2026-11-01');
const line = z.string().trim().min(1, 'write some text here');

const FrontMatter = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'use lower-case words joined by hyphens, for example lost-card'),
  lang: z.enum(['zh', 'en']),
  intents: z.array(line).min(1, 'name at least one topic of intents/topics.tsv'),
  title: line,
  phrasings: z.array(line).min(8, 'write at least 8 different ways customers ask this'),
  audience: z.enum(['public', 'signed-in', 'staff']),
  valid_from: date,
  valid_to: date.nullable(),
  review_by: date,
  approved_by: line.nullable().default(null),
  approved_at: date.nullable().default(null),
  source: line,
  version: z.int().positive('count versions from 1'),
  risk: z.enum(['none', 'investment']),
  related: z.array(line).default([]),
});

export type FrontField = keyof z.infer<typeof FrontMatter>;

/**
 * Reads every `<id>.<lang>.md` of a folder, checked against the topics in `intents/topics.tsv` beside it.
 * One bad file refuses them all: a bank would rather not start than answer from half of what it approved.
 *
 * Throws an `ArticleError` that lists file, line, what is wrong and what to do.
 */
export function readArticles(folder: string): readonly Article[] {
  const read = readdirSync(folder)
    .sort()
    .map((name) => parseArticle(name, readFileSync(join(folder, name), 'utf8')));
  const files = read.flatMap((result) => (result.outcome === 'ok' ? [result.file] : []));
  const topics = readTopics(join(folder, '..', 'intents', 'topics.tsv'));
  const problems = [
    ...read.flatMap((result) => (result.outcome === 'refused' ? result.problems : [])),
    ...files.flatMap((file) => checkArticle(file, topics)),
    ...checkLibrary(files),
  ];
  if (problems.length > 0) throw new ArticleError(problems.sort(byPlace));
  return files.map((file) => file.article);
}

function byPlace(one: Problem, other: Problem): number {
  return one.file.localeCompare(other.file, 'en') || one.line - other.line;
}

export type Parsed =
  | { readonly outcome: 'ok'; readonly file: ArticleFile }
  | { readonly outcome: 'refused'; readonly problems: readonly Problem[] };

/** Reads one file's text. Its shape is checked here; what it says is checked by `article-rules.ts`. */
export function parseArticle(name: string, text: string): Parsed {
  const refuse = (line: number, message: string): Parsed => ({
    outcome: 'refused',
    problems: [{ file: name, line, message }],
  });
  const named = /^([a-z0-9-]+)\.(zh|en)\.md$/.exec(basename(name));
  if (!named)
    return refuse(1, 'the file name is not <id>.zh.md or <id>.en.md: rename it, or move it out of this folder');
  const parts = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text);
  if (!parts) return refuse(1, 'the front matter is missing: begin the file with --- and close it with another ---');
  const [, front = '', rest = ''] = parts;
  const lines = new LineCounter();
  const document = parseDocument(front, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken) {
    const reason = broken.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? 'not YAML';
    return refuse(
      lines.linePos(broken.pos[0]).line + 1,
      `the front matter cannot be read: ${reason}. Quote texts that hold a colon`,
    );
  }
  const place = (path: readonly (string | number)[]) => lineOf(document, lines, path);
  const parsed = FrontMatter.safeParse(document.toJS());
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => sayIssue(name, issue, place));
    return { outcome: 'refused', problems };
  }
  return { outcome: 'ok', file: articleFile(name, parsed.data, rest, text, place) };
}

function sayIssue(
  file: string,
  issue: z.core.$ZodIssue,
  place: (path: readonly (string | number)[]) => number,
): Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      file,
      line: place([key]),
      message: `${key} is not a field of an article: remove it, or correct its name`,
    }));
  }
  const field = path.length > 0 ? path.join('.') : 'front matter';
  return [{ file, line: place(path), message: `${field}: ${issue.message}` }];
}

function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line + 1;
    }
  }
  return 1;
}

function articleFile(
  name: string,
  front: z.infer<typeof FrontMatter>,
  rest: string,
  text: string,
  place: (path: readonly (string | number)[]) => number,
): ArticleFile {
  const body = rest.replace(/\r\n/g, '\n');
  const bodyStart = text.slice(0, text.length - rest.length).split('\n').length;
  const leading = body.length - body.trimStart().length;
  const bodyLine = (offset: number) => bodyStart + body.slice(0, leading + offset).split('\n').length - 1;
  return {
    file: name,
    article: {
      id: front.id,
      lang: front.lang,
      intents: front.intents,
      title: front.title,
      phrasings: front.phrasings,
      audience: front.audience,
      validFrom: front.valid_from,
      validTo: front.valid_to,
      reviewBy: front.review_by,
      approvedBy: front.approved_by,
      approvedAt: front.approved_at,
      source: front.source,
      version: front.version,
      risk: front.risk,
      related: front.related,
      body: body.trim(),
    },
    lineOf: (field, index) => (field === 'body' ? bodyLine(0) : place(index === undefined ? [field] : [field, index])),
    bodyLine,
  };
}

/** To whom and when an answer would be shown. */
export interface ServingContext {
  readonly language: Language;
  readonly audience: Audience;
  /** Today in the bank's time zone, `YYYY-MM-DD`. */
  readonly today: string;
}

/** May this article be shown? Asked before ranking, so that what may not be shown takes nobody's place. */
export function servable(article: Article, context: ServingContext): boolean {
  return servableSomeDay(article, context) && inForce(article, context.today);
}

/** Servable but for the date: what a customer would be shown if it were valid today. */
export function servableSomeDay(article: Article, context: Omit<ServingContext, 'today'>): boolean {
  return article.lang === context.language && approved(article) && reaches(article.audience, context.audience);
}

/** Half-open: valid on its first day, no longer on its last. ISO dates compare as text. */
export function inForce(article: Pick<Article, 'validFrom' | 'validTo'>, today: string): boolean {
  return article.validFrom <= today && (article.validTo === null || today < article.validTo);
}

/** An article without both an approver and a date is a draft. */
export function approved(article: Pick<Article, 'approvedBy' | 'approvedAt'>): boolean {
  return article.approvedBy !== null && article.approvedAt !== null;
}

const CIRCLES: readonly Audience[] = ['public', 'signed-in', 'staff'];

/** Staff see what customers see, signed-in customers see what everybody sees. Never the other way round. */
function reaches(meantFor: Audience, reader: Audience): boolean {
  return CIRCLES.indexOf(meantFor) <= CIRCLES.indexOf(reader);
}
