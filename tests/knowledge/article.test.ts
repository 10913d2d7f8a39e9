import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArticleError, readArticles, servable } from '../../knowledge/article.ts';
import { barredWords, numbersIn } from '../../knowledge/article-rules.ts';
import type { Article } from '../../knowledge/types.ts';

const topics = fileURLToPath(new URL('../../knowledge/intents/topics.tsv', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lobby-articles-'));
  mkdirSync(join(root, 'articles'));
  mkdirSync(join(root, 'intents'));
  cpSync(topics, join(root, 'intents', 'topics.tsv'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const WORDS = { zh: '问法', en: 'way of asking' } as const;

/** A file that keeps every rule, line by line; `change` rewrites its text. */
function write(id: string, lang: 'zh' | 'en', change: (text: string) => string = (text) => text): void {
  const text = [
    '---',
    `id: ${id}`,
    `lang: ${lang}`,
    'intents: [deposit.rate_term]',
    `title: ${id} ${WORDS[lang]}?`,
    'phrasings:',
    ...Array.from({ length: 8 }, (_, index) => `  - ${id} ${WORDS[lang]} ${index + 1}`),
    'audience: public',
    'valid_from: 2026-11-01',
    'valid_to: null',
    'review_by: 2027-02-01',
    'approved_by: retail-lead',
    'approved_at: 2026-10-28',
    'source: notice 4',
    'version: 3',
    'risk: none',
    'related: []',
    '---',
    lang === 'zh' ? '起存 5 万元。' : 'It starts at CNY 50,000.',
    '',
    '{{rates:deposit-term}}',
    '',
  ].join('\n');
  writeFileSync(join(root, 'articles', `${id}.${lang}.md`), change(text));
}

function writeBoth(id: string, change?: (text: string) => string): void {
  write(id, 'zh', change);
  write(id, 'en', change);
}

const swap = (from: string, to: string) => (text: string) => text.replace(from, to);

/** The problems of a folder that is refused. */
function refusal(): readonly string[] {
  try {
    readArticles(join(root, 'articles'));
  } catch (error) {
    if (error instanceof ArticleError)
      return error.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);
    throw error;
  }
  return [];
}

describe('a folder of articles', () => {
  test('is read whole when every file keeps the rules', () => {
    writeBoth('term-rate');
    const articles = readArticles(join(root, 'articles'));
    expect(articles).toHaveLength(2);
    expect(articles[1]).toEqual({
      id: 'term-rate',
      lang: 'zh',
      intents: ['deposit.rate_term'],
      title: 'term-rate 问法?',
      phrasings: Array.from({ length: 8 }, (_, index) => `term-rate 问法 ${index + 1}`),
      audience: 'public',
      validFrom: '2026-11-01',
      validTo: null,
      reviewBy: '2027-02-01',
      approvedBy: 'retail-lead',
      approvedAt: '2026-10-28',
      source: 'notice 4',
      version: 3,
      risk: 'none',
      related: [],
      body: '起存 5 万元。\n\n{{rates:deposit-term}}',
    });
  });

  test('may come from Windows: carriage returns and a byte order mark change nothing', () => {
    writeBoth('term-rate', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`);
    expect(readArticles(join(root, 'articles'))[1]?.body).toBe('起存 5 万元。\n\n{{rates:deposit-term}}');
  });

  test('is refused with every problem at once, in order of place', () => {
    writeBoth('term-rate', swap('version: 3', 'version: 0'));
    write('alone', 'zh', swap('risk: none', 'risk: high'));
    expect(refusal().map((problem) => problem.split(':').slice(0, 2).join(':'))).toEqual([
      'alone.zh.md:23',
      'term-rate.en.md:22',
      'term-rate.zh.md:22',
    ]);
  });

  test('says in its message that nothing was loaded', () => {
    writeBoth('term-rate', swap('version: 3', 'version: 0'));
    expect(() => readArticles(join(root, 'articles'))).toThrow(
      /2 problem\(s\).*Nothing was loaded[\s\S]*term-rate\.en\.md:22: version/,
    );
  });

  test('may hold a draft: neither approver nor date', () => {
    writeBoth('term-rate', (text) => text.replace(/approved_.*\n/g, ''));
    expect(readArticles(join(root, 'articles'))[0]).toMatchObject({ approvedBy: null, approvedAt: null });
  });
});

describe('an article is refused', () => {
  const cases: readonly [why: string, change: (text: string) => string, line: number, says: RegExp][] = [
    ['when its id is not the name of its file', swap('id: term-rate', 'id: other'), 2, /id is other.*named term-rate/],
    [
      'when its language is not that of its file',
      (text) => text.replace(/lang: \w\w/, (lang) => (lang === 'lang: zh' ? 'lang: en' : 'lang: zh')),
      3,
      /lang is/,
    ],
    ['when a topic is unknown', swap('deposit.rate_term', 'deposit.moon'), 4, /deposit\.moon is not a topic/],
    ['when it names no topic', swap('[deposit.rate_term]', '[]'), 4, /at least one topic/],
    ['with fewer than 8 phrasings', (text) => text.replace(/ {2}- .* 8\n/, ''), 7, /at least 8/],
    ['when a phrasing is written twice', (text) => text.replace(/ 8\n/, ' 7!\n'), 14, /written twice/],
    ['when a phrasing is empty', (text) => text.replace(/ {2}- .* 8\n/, '  - ""\n'), 14, /write some text/],
    ['when the audience is unknown', swap('audience: public', 'audience: everybody'), 15, /audience/],
    ['when a date is not in the calendar', swap('2026-11-01', '2026-02-29'), 16, /valid_from.*YYYY-MM-DD/],
    ['when it ends before it begins', swap('valid_to: null', 'valid_to: 2026-11-01'), 17, /not after valid_from/],
    ['when it is approved by somebody on no date', swap('approved_at: 2026-10-28\n', ''), 19, /come together/],
    ['when its version is not a number', swap('version: 3', 'version: three'), 22, /version/],
    ['when a field is unknown', swap('risk: none', 'risk: none\ncolour: red'), 24, /colour is not a field/],
    ['when a field is missing', swap('source: notice 4\n', ''), 1, /source/],
    ['when it is related to nothing known', swap('related: []', 'related: [moon]'), 24, /there is no article moon/],
    ['when it is related to itself', swap('related: []', 'related: [term-rate]'), 24, /not related to itself/],
    ['with HTML in its body', (text) => `${text}Click <b>here</b>\n`, 29, /<b> is HTML/],
    ['with an HTML entity in its body', (text) => `${text}a&nbsp;b\n`, 29, /&nbsp; is HTML/],
    [
      'with a placeholder that nobody fills',
      swap('{{rates:deposit-term}}', '{{balance}}'),
      28,
      /placeholder is unknown/,
    ],
    ['when its body promises in Chinese', (text) => `${text}收益稳赚不赔\n`, 29, /"稳赚" is barred/],
    ['when its body promises in English', (text) => `${text}Returns are guaranteed.\n`, 29, /"guaranteed" is barred/],
    ['when its title recommends', (text) => text.replace('title: ', 'title: 推荐 '), 5, /"推荐" is barred/],
    ['when its body is empty', (text) => text.slice(0, text.lastIndexOf('---') + 4), 26, /body is empty/],
    ['when its front matter is not YAML', swap('title: ', 'title: a: '), 5, /front matter cannot be read/],
    ['when it has no front matter', () => 'Just text\n', 1, /front matter is missing/],
  ];

  test.each(cases)('%s', (_, change, line, says) => {
    writeBoth('term-rate', change);
    const problem = refusal().find((each) => each.startsWith('term-rate.zh.md:'));
    expect(problem).toMatch(says);
    expect(problem).toMatch(new RegExp(`^term-rate\\.zh\\.md:${line}: `));
  });

  test('when the same sentence also asks for another article', () => {
    writeBoth('term-rate');
    writeBoth('demand-rate', (text) =>
      text.replace('demand-rate 问法 3', 'Term-Rate 问法 3').replace('demand-rate way of asking 3', 'x 3'),
    );
    expect(refusal()).toEqual([
      'term-rate.zh.md:9: "term-rate 问法 3" also stands in demand-rate.zh.md: keep it where it belongs',
    ]);
  });

  test('but not when the other takes its place on the day it ends', () => {
    writeBoth('term-rate', swap('valid_to: null', 'valid_to: 2027-01-01'));
    writeBoth('term-rate-next', (text) =>
      text.replaceAll('- term-rate-next', '- term-rate').replace('2026-11-01', '2027-01-01'),
    );
    expect(refusal()).toEqual([]);
  });

  test.each([
    ['intents', swap('[deposit.rate_term]', '[deposit.notice]'), 4],
    ['audience', swap('audience: public', 'audience: staff'), 15],
    ['valid_from', swap('2026-11-01', '2026-11-02'), 16],
    ['valid_to', swap('valid_to: null', 'valid_to: 2027-11-01'), 17],
    ['review_by', swap('2027-02-01', '2027-02-02'), 18],
    ['version', swap('version: 3', 'version: 4'), 22],
    ['risk', swap('risk: none', 'risk: investment'), 23],
  ])('when its translation has another %s', (field, change, line) => {
    write('term-rate', 'zh');
    write('term-rate', 'en', change);
    expect(refusal()).toEqual([
      expect.stringMatching(new RegExp(`^term-rate\\.en\\.md:${line}: ${field} is .*make them equal$`)),
    ]);
  });

  test('when its translation gives another figure', () => {
    write('term-rate', 'zh');
    write('term-rate', 'en', swap('50,000', '5,000'));
    expect(refusal()).toEqual([
      'term-rate.en.md:26: the figures differ from term-rate.zh.md: 5000, 50000 stands in only one of them',
    ]);
  });

  test.each([
    ['zh', 'en'],
    ['en', 'zh'],
  ] as const)('when it exists in %s only', (present, missing) => {
    write('term-rate', present);
    expect(refusal()).toEqual([
      `term-rate.${present}.md:1: there is no term-rate.${missing}.md: an answer exists in both languages or in none`,
    ]);
  });

  test('when its file has a name of another kind', () => {
    writeBoth('term-rate');
    writeFileSync(join(root, 'articles', 'notes.txt'), 'x');
    expect(refusal()).toEqual([expect.stringMatching(/^notes\.txt:1: the file name is not/)]);
  });
});

describe('figures', () => {
  test('are compared as values, whatever the language writes', () => {
    expect(numbersIn('50 万元，1.55 %，9:30，2 亿')).toEqual(['500000', '1.55', '9', '30', '200000000']);
    expect(numbersIn('CNY 500,000 at 1.55 % from 9:30, 200,000,000')).toEqual([
      '500000',
      '1.55',
      '9',
      '30',
      '200000000',
    ]);
  });

  test('of a rate table are not the article’s', () => {
    expect(numbersIn('{{rates:t2}} 3')).toEqual(['3']);
  });
});

describe('the words a bank does not say', () => {
  test.each([
    '我们推荐这款',
    '保证收益',
    '稳赚',
    '本产品保本',
    'We recommend it',
    'guaranteed',
    'It is Guaranteed',
    'a recommendation',
    '不得不保证',
  ])('%s', (text) => {
    expect(barredWords(text)).toHaveLength(1);
  });

  test.each([
    '理财不保本',
    '不保证收益',
    '不承诺',
    '以上不构成推荐',
    'It is not guaranteed',
    'This is not a recommendation',
    '质保期',
  ])('but %s is right', (text) => {
    expect(barredWords(text)).toEqual([]);
  });

  test('are found beside an approved negation, at their place', () => {
    expect(barredWords('不保本，但保证高')).toEqual([{ word: '保证', offset: 5 }]);
  });
});

describe('an article is shown', () => {
  const article: Article = {
    id: 'a',
    lang: 'zh',
    intents: ['deposit.rate_term'],
    title: 't',
    phrasings: [],
    audience: 'public',
    validFrom: '2026-11-01',
    validTo: '2027-03-01',
    reviewBy: '2027-01-01',
    approvedBy: 'lead',
    approvedAt: '2026-10-01',
    source: 's',
    version: 1,
    risk: 'none',
    related: [],
    body: 'b',
  };
  const context = { language: 'zh', audience: 'public', today: '2026-11-23' } as const;

  test('in its language, approved, to its audience, while valid', () => {
    expect(servable(article, context)).toBe(true);
    expect(servable(article, { ...context, language: 'en' })).toBe(false);
  });

  test('from the first bank-local day to the last but one, and not on the day it ends', () => {
    expect(servable(article, { ...context, today: '2026-10-31' })).toBe(false);
    expect(servable(article, { ...context, today: '2026-11-01' })).toBe(true);
    expect(servable(article, { ...context, today: '2027-02-28' })).toBe(true);
    expect(servable(article, { ...context, today: '2027-03-01' })).toBe(false);
  });

  test('on the leap day too', () => {
    const leap = { ...article, validFrom: '2028-02-29', validTo: '2028-03-01' };
    expect(servable(leap, { ...context, today: '2028-02-28' })).toBe(false);
    expect(servable(leap, { ...context, today: '2028-02-29' })).toBe(true);
    expect(servable(leap, { ...context, today: '2028-03-01' })).toBe(false);
  });

  test('past its review date still, because only the end date ends it', () => {
    expect(servable(article, { ...context, today: '2027-02-01' })).toBe(true);
  });

  test('never without approver or date', () => {
    expect(servable({ ...article, approvedBy: null }, context)).toBe(false);
    expect(servable({ ...article, approvedAt: null }, context)).toBe(false);
  });

  test.each([
    ['public', 'public', true],
    ['public', 'signed-in', true],
    ['public', 'staff', true],
    ['signed-in', 'public', false],
    ['signed-in', 'signed-in', true],
    ['signed-in', 'staff', true],
    ['staff', 'public', false],
    ['staff', 'signed-in', false],
    ['staff', 'staff', true],
  ] as const)('when meant for %s, to %s: %s', (meantFor, reader, shown) => {
    expect(servable({ ...article, audience: meantFor }, { ...context, audience: reader })).toBe(shown);
  });
});
