import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRates, type Rate, rateTables, seedDemoRates } from '../../record/rates.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';

const base: Rate = {
  table: 'deposit-term',
  product: 'term',
  term: '3y',
  currency: 'CNY',
  minAmount: '50.00',
  name: { zh: '三年定期', en: '3 years' },
  value: '1.5500',
  unit: 'percent_per_year',
  position: 0,
  effectiveFrom: '2026-11-01',
  effectiveTo: null,
  source: 'test',
  approvedBy: 'test',
};
const rendered = (rates: readonly Rate[], language: 'zh' | 'en', today: string) =>
  rateTables(rates).render('deposit-term', language, today);

describe('a rate table', () => {
  test('says the value, since when it is in force, and the day it was asked, in Chinese', () => {
    expect(rendered([base], 'zh', '2026-11-23')).toBe(
      '| 项目 | 起存金额 | 标准 |\n| --- | --- | --- |\n| 三年定期 | 50 元 | 1.55 % |\n\n自 2026-11-01 起执行，查询日 2026-11-23',
    );
  });

  test('says the same in English', () => {
    expect(rendered([base], 'en', '2026-11-23')).toBe(
      '| Item | From | Rate or fee |\n| --- | --- | --- |\n| 3 years | CNY 50 | 1.55 % |\n\nIn force since 2026-11-01, as of 2026-11-23',
    );
  });

  test('dates each line when the lines are not of one day', () => {
    const lines = [base, { ...base, term: '5y', name: { zh: '五年定期', en: '5 years' }, effectiveFrom: '2026-11-20' }];
    expect(rendered(lines, 'en', '2026-11-23')).toContain('| 3 years | CNY 50 | 1.55 % | 2026-11-01 |');
    expect(rendered(lines, 'en', '2026-11-23')).toContain('| 5 years | CNY 50 | 1.55 % | 2026-11-20 |');
    expect(rendered(lines, 'en', '2026-11-23')).toContain('As of 2026-11-23');
  });

  test('is not there when no row of it is in force, or nobody knows it', () => {
    expect(rendered([base], 'zh', '2026-10-31')).toBeNull();
    expect(rendered([{ ...base, effectiveTo: '2026-11-10' }], 'zh', '2026-11-10')).toBeNull();
    expect(rateTables([base]).render('gold', 'zh', '2026-11-23')).toBeNull();
  });

  test('changes at bank-local midnight: the new row from its first day, the old one until the day before', () => {
    const rows = [{ ...base, value: '1.6500', effectiveFrom: '2026-01-01', effectiveTo: '2026-11-01' }, base];
    expect(rendered(rows, 'en', '2026-10-31')).toContain('1.65 %');
    expect(rendered(rows, 'en', '2026-10-31')).not.toContain('1.55 %');
    expect(rendered(rows, 'en', '2026-11-01')).toContain('1.55 %');
    expect(rendered(rows, 'en', '2026-11-01')).not.toContain('1.65 %');
  });

  test('knows the leap day', () => {
    const leap = [{ ...base, effectiveFrom: '2028-02-29', effectiveTo: '2028-03-01' }];
    expect(rendered(leap, 'zh', '2028-02-28')).toBeNull();
    expect(rendered(leap, 'zh', '2028-02-29')).toContain('自 2028-02-29 起执行');
    expect(rendered(leap, 'zh', '2028-03-01')).toBeNull();
  });

  test('calls a fee of nothing free, and groups large amounts', () => {
    const free = { ...base, unit: 'each' as const, value: '0.0000', minAmount: '0.00' };
    expect(rendered([free], 'zh', '2026-11-23')).toContain('| 三年定期 | 免费 |');
    expect(rendered([free], 'en', '2026-11-23')).toContain('| 3 years | Free |');
    expect(rendered([{ ...base, minAmount: '200000.00' }], 'en', '2026-11-23')).toContain('CNY 200,000');
    expect(rendered([{ ...base, unit: 'per_month', value: '2.5000' }], 'en', '2026-11-23')).toContain(
      'CNY 2.5 a month',
    );
  });
});

describe('rates in the record', () => {
  let scratch: ScratchDatabase;
  beforeAll(async () => {
    scratch = await scratchDatabase();
    await seedDemoRates(scratch.database);
  });
  afterAll(() => scratch.drop());

  const insert = (over: Record<string, string | number | null>) => {
    const row = {
      table_name: 'deposit-term',
      product: 'probe',
      term: '3y',
      name_zh: '试',
      name_en: 'probe',
      value: 1,
      unit: 'percent_per_year',
      effective_from: '2026-01-01',
      effective_to: null,
      source: 'test',
      approved_by: 'test',
      min_amount: 0,
      currency: 'CNY',
      ...over,
    };
    const columns = Object.keys(row);
    return scratch.database.query(
      `insert into rate (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    );
  };
  const EXCLUSION = { code: '23P01' };

  test('are seeded once, however often the service starts', async () => {
    const count = () => scratch.database.query<{ n: string }>('select count(*)::text as n from rate');
    const [before] = await count();
    await seedDemoRates(scratch.database);
    expect(await count()).toEqual([before]);
    expect(Number(before?.n)).toBeGreaterThan(300);
  });

  test('answer every table of the demo in both languages with a date', async () => {
    const rates = await loadRates(scratch.database);
    const names = await scratch.database.query<{ name: string }>(
      "select distinct table_name as name from rate where table_name <> 'fx'",
    );
    expect(names.length).toBeGreaterThanOrEqual(11);
    for (const { name } of names) {
      expect(rates.render(name, 'zh', '2026-11-23'), name).toMatch(/自 2026-\d\d-\d\d 起执行，查询日 2026-11-23$/);
      expect(rates.render(name, 'en', '2026-11-23'), name).toMatch(/In force since 2026-\d\d-\d\d, as of 2026-11-23$/);
    }
    expect(rates.render('deposit-term', 'zh', '2026-11-23')).toContain('| 三年定期 | 50 元 | 1.55 % |');
    expect(rates.render('deposit-term', 'zh', '2026-10-31')).toContain('| 三年定期 | 50 元 | 1.65 % |');
  });

  test('have an exchange rate for today that is gone with the day, and for the next days another', async () => {
    const [days] = await scratch.database.query<{ today: string; last: string; after: string; yesterday: string }>(
      `select to_char(d, 'YYYY-MM-DD') as today, to_char(d + 29, 'YYYY-MM-DD') as last, to_char(d + 30, 'YYYY-MM-DD') as after,
              to_char(d - 1, 'YYYY-MM-DD') as yesterday
         from (select (now() at time zone 'Asia/Shanghai')::date as d) t`,
    );
    if (!days) throw new Error('the database did not say what day it is');
    const rates = await loadRates(scratch.database);
    expect(rates.render('fx', 'zh', days.today)).toContain(`自 ${days.today} 起执行`);
    expect(rates.render('fx', 'zh', days.last)).toContain(`自 ${days.last} 起执行`);
    expect(rates.render('fx', 'zh', days.after)).toBeNull();
    expect(rates.render('fx', 'zh', days.yesterday)).toBeNull();
  });

  test('never overlap: one line has one value on any day', async () => {
    await insert({ effective_from: '2026-01-01', effective_to: '2026-06-01' });
    await expect(insert({ effective_from: '2026-05-31' })).rejects.toMatchObject(EXCLUSION);
    await expect(insert({ effective_from: '2025-01-01', effective_to: '2026-01-02' })).rejects.toMatchObject(EXCLUSION);
    await expect(insert({ effective_from: '2026-02-01', effective_to: '2026-02-02' })).rejects.toMatchObject(EXCLUSION);
    await insert({ effective_from: '2026-06-01' });
    await expect(insert({ effective_from: '2030-01-01' })).rejects.toMatchObject(EXCLUSION);
    await insert({ effective_from: '2025-01-01', effective_to: '2026-01-01' });
  });

  test('of another product, term, currency or minimum amount do not stand in the way', async () => {
    await insert({ product: 'other', effective_from: '2026-01-01' });
    for (const over of [
      { product: 'another' },
      { term: '5y' },
      { currency: 'USD' },
      { min_amount: 0.01 },
      { table_name: 'deposit-other' },
    ]) {
      await insert({ product: 'other', effective_from: '2026-01-01', ...over });
    }
    await expect(insert({ product: 'other', effective_from: '2026-01-01', term: '5y' })).rejects.toMatchObject(
      EXCLUSION,
    );
  });

  test('end after they begin', async () => {
    await expect(
      insert({ product: 'p1', effective_from: '2026-01-01', effective_to: '2026-01-01' }),
    ).rejects.toMatchObject({ code: '23514' });
    await expect(
      insert({ product: 'p2', effective_from: '2026-01-02', effective_to: '2026-01-01' }),
    ).rejects.toMatchObject({ code: '23514' });
  });

  test('need no extension of the server', async () => {
    const extensions = await scratch.database.query<{ name: string }>('select extname as name from pg_extension');
    expect(extensions.map(({ name }) => name)).toEqual(['plpgsql']);
  });

  test('show a change after loading again', async () => {
    await insert({ table_name: 'probe', effective_from: '2026-01-01', effective_to: '2026-06-01', value: 1 });
    const before = await loadRates(scratch.database);
    await insert({ table_name: 'probe', effective_from: '2026-06-01', value: 2 });
    const after = await loadRates(scratch.database);
    expect(before.render('probe', 'en', '2026-06-01')).toBeNull();
    expect(after.render('probe', 'en', '2026-06-01')).toContain('2.00 %');
    expect(after.render('probe', 'en', '2026-05-31')).toContain('1.00 %');
  });
});
