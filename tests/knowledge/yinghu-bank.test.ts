import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approved, readArticles } from '../../knowledge/article.ts';
import { createLocalRecognizer } from '../../knowledge/recognizer.ts';
import { loadRates, type RateTables, seedDemoRates } from '../../record/rates.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';

const written = readArticles(fileURLToPath(new URL('../../knowledge/articles', import.meta.url)));
const articles = written.filter(approved);
const recognizer = createLocalRecognizer(written);
const context = { language: 'zh', today: '2026-11-23', audience: 'public' } as const;

const COVERED = [
  'card.lost',
  'card.replace',
  'card.activate',
  'card.pin_reset',
  'card.apply_debit',
  'card.class_limit',
  'card.annual_fee',
  'card.swallowed',
  'limit.transfer',
  'transfer.how',
  'transfer.arrival',
  'transfer.wrong_payee',
  'transfer.fee',
  'bind.third_party',
  'statement.flow',
  'balance.query',
  'deposit.rate_current',
  'deposit.rate_term',
  'deposit.large_cd',
  'deposit.early_withdraw',
  'deposit.notice',
  'deposit.insurance',
  'loan.lpr',
  'loan.mortgage_rate',
  'loan.small_business',
  'ccard.apply',
  'ccard.fee_waive',
  'mbank.register',
  'mbank.otp',
  'branch.nearest',
  'branch.hours',
  'branch.appoint',
  'fx.rate',
  'sms.fee',
  'wealth.vs_deposit',
  'complaint.how',
  'fraud.suspect',
];

describe('the articles of Yinghu Bank', () => {
  test('cover what customers ask most, in both languages, approved and valid', () => {
    for (const lang of ['zh', 'en'] as const) {
      const mine = articles.filter((article) => article.lang === lang);
      expect(mine.map((article) => article.intents[0]).sort()).toEqual([...COVERED].sort());
      expect(
        mine.every((article) => article.approvedBy && article.approvedAt && article.validFrom <= '2026-11-01'),
      ).toBe(true);
    }
  });

  test('have at least 12 phrasings in each language', () => {
    expect(Math.min(...articles.map((article) => article.phrasings.length))).toBeGreaterThanOrEqual(12);
  });

  test('agree on the one hotline', () => {
    const hotlines = articles.flatMap((article) => article.body.match(/400-\d{3}-\d{4}/g) ?? []);
    expect(new Set(hotlines)).toEqual(new Set(['400-000-0000']));
  });

  test('mark what is an investment, and only that', () => {
    expect(new Set(articles.filter((article) => article.risk === 'investment').map((article) => article.id))).toEqual(
      new Set(['wealth-vs-deposit']),
    );
  });

  test('answer their own titles: what a button sends is always understood', async () => {
    for (const article of articles) {
      const understanding = await recognizer.understand(article.title, { ...context, language: article.lang });
      expect(understanding).toMatchObject({
        band: 'answer',
        articles: [{ article: { id: article.id, lang: article.lang } }],
      });
    }
  });

  test.each([
    ['卡丢了，咋整', 'lost-card'],
    ['掛失', 'lost-card'],
    ['请问一下现在三年定期利率是多少', 'term-deposit-rate'],
    ['LPR什么时候调整啊', 'lpr'],
    ['我刚才转账转错人了', 'wrong-payee'],
    ['ATM吞卡了', 'swallowed-card'],
    ['存五十万有保险吗', 'deposit-insurance'],
    ['你们周六几点开门', 'branch-hours'],
    ['Can you tell me the USD/CNY rate?', 'fx-rate'],
    ['3 year fixed deposit rate please', 'term-deposit-rate'],
    ['does my transfer arrive on Saturday', 'transfer-arrival'],
    ['I want to get my card back out of the ATM', 'swallowed-card'],
  ])('answer %s with %s', async (text, id) => {
    const { band, articles: found } = await recognizer.understand(text, context);
    expect({ band, id: found[0]?.article.id }).toEqual({ band: 'answer', id });
  });

  test.each([
    '今天天气怎么样',
    '帮我推荐一只股票',
    '给我讲个笑话',
    '怎么做红烧肉',
    '机票怎么退',
    'how do I cook rice',
    'tell me a joke',
    'translate this into French',
  ])('have nothing to say to %s', async (text) => {
    expect(await recognizer.understand(text, context)).toMatchObject({ band: 'miss', missed: 'nothing_found' });
  });
});

describe('the rate tables the articles name', () => {
  let scratch: ScratchDatabase;
  let rates: RateTables;
  beforeAll(async () => {
    scratch = await scratchDatabase();
    await seedDemoRates(scratch.database);
    rates = await loadRates(scratch.database);
  });
  afterAll(() => scratch.drop());

  test('are all in force with the demo’s values', async () => {
    const [day] = await scratch.database.query<{ today: string }>(
      "select to_char((now() at time zone 'Asia/Shanghai')::date, 'YYYY-MM-DD') as today",
    );
    const named = articles.flatMap((article) =>
      [...article.body.matchAll(/\{\{rates:([^}]+)\}\}/g)].map(([, table = '']) => ({ table, lang: article.lang })),
    );
    expect(new Set(named.map(({ table }) => table)).size).toBeGreaterThanOrEqual(10);
    for (const { table, lang } of named) expect(rates.render(table, lang, day?.today ?? ''), table).not.toBeNull();
  });
});
