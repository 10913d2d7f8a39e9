/** Rates and fees: dated rows, and the tables made of those in force that answers show to every customer alike. */

import type { Database, Language } from './types.ts';

/** What a value means. */
export type RateUnit = 'percent_per_year' | 'percent_of_amount' | 'each' | 'per_month' | 'per_year' | 'per_100';

/** One line of a table for as long as it is in force. */
export interface Rate {
  readonly table: string;
  readonly product: string;
  readonly term: string;
  readonly currency: string;
  /** Decimal text, as PostgreSQL gives it: money is never a binary fraction. */
  readonly minAmount: string;
  readonly name: Readonly<Record<Language, string>>;
  readonly value: string;
  readonly unit: RateUnit;
  readonly position: number;
  /** Bank-local dates, half-open: in force when `effectiveFrom <= today < effectiveTo`. */
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
  readonly source: string;
  readonly approvedBy: string;
}

/** The tables that answers refer to. Takes no customer: a rate is the same for everybody. */
export interface RateTables {
  /** The table as Markdown with its dates, or null when none of its rows is in force on that bank-local day. */
  render(table: string, language: Language, today: string): string | null;
}

interface RateRow {
  readonly table_name: string;
  readonly product: string;
  readonly term: string;
  readonly currency: string;
  readonly min_amount: string;
  readonly name_zh: string;
  readonly name_en: string;
  readonly value: string;
  readonly unit: RateUnit;
  readonly position: number;
  readonly effective_from: string;
  readonly effective_to: string | null;
  readonly source: string;
  readonly approved_by: string;
}

/** Reads all rows, those to come included: one small query. After a change load again and put the new tables in place of the old. */
export async function loadRates(database: Database): Promise<RateTables> {
  const rows = await database.query<RateRow>(
    `select table_name, product, term, currency, min_amount::text, name_zh, name_en, value::text, unit, position,
            to_char(effective_from, 'YYYY-MM-DD') as effective_from, to_char(effective_to, 'YYYY-MM-DD') as effective_to,
            source, approved_by
       from rate
      order by table_name, position, product, term, currency, min_amount, effective_from`,
  );
  return rateTables(rows.map(rateOf));
}

function rateOf(row: RateRow): Rate {
  return {
    table: row.table_name,
    product: row.product,
    term: row.term,
    currency: row.currency,
    minAmount: row.min_amount,
    name: { zh: row.name_zh, en: row.name_en },
    value: row.value,
    unit: row.unit,
    position: row.position,
    effectiveFrom: row.effective_from,
    effectiveTo: row.effective_to,
    source: row.source,
    approvedBy: row.approved_by,
  };
}

/** Pure: rows in, tables out. The rows come in the order of their lines. */
export function rateTables(rates: readonly Rate[]): RateTables {
  const tables = byTable(rates);
  return {
    render(table, language, today) {
      const lines = (tables.get(table) ?? []).filter((rate) => isInForce(rate, today));
      return lines.length === 0 ? null : renderTable(lines, language, today);
    },
  };
}

/** ISO dates compare as text. */
function isInForce(rate: Rate, today: string): boolean {
  return rate.effectiveFrom <= today && (rate.effectiveTo === null || today < rate.effectiveTo);
}

function byTable(rates: readonly Rate[]): ReadonlyMap<string, readonly Rate[]> {
  const tables = new Map<string, Rate[]>();
  for (const rate of rates) tables.set(rate.table, [...(tables.get(rate.table) ?? []), rate]);
  return tables;
}

interface Words {
  readonly item: string;
  readonly value: string;
  readonly minimum: string;
  readonly since: string;
  readonly free: string;
  readonly units: Readonly<Record<RateUnit, (value: string) => string>>;
  amount(amount: string, currency: string): string;
  dates(since: string | null, today: string): string;
}

/** Labels of the tables. The sentences around them are the articles'. */
const WORDS: Readonly<Record<Language, Words>> = {
  zh: {
    item: '项目',
    value: '标准',
    minimum: '起存金额',
    since: '执行日期',
    free: '免费',
    units: {
      percent_per_year: (value) => `${value} %`,
      percent_of_amount: (value) => `金额的 ${value} %`,
      each: (value) => `${value} 元/笔`,
      per_month: (value) => `${value} 元/月`,
      per_year: (value) => `${value} 元/年`,
      per_100: (value) => value,
    },
    amount: (amount, currency) => (currency === 'CNY' ? `${amount} 元` : `${amount} ${currency}`),
    dates: (since, today) => (since ? `自 ${since} 起执行，查询日 ${today}` : `查询日 ${today}`),
  },
  en: {
    item: 'Item',
    value: 'Rate or fee',
    minimum: 'From',
    since: 'In force since',
    free: 'Free',
    units: {
      percent_per_year: (value) => `${value} %`,
      percent_of_amount: (value) => `${value} % of the amount`,
      each: (value) => `CNY ${value} each`,
      per_month: (value) => `CNY ${value} a month`,
      per_year: (value) => `CNY ${value} a year`,
      per_100: (value) => value,
    },
    amount: (amount, currency) => `${currency} ${amount}`,
    dates: (since, today) => (since ? `In force since ${since}, as of ${today}` : `As of ${today}`),
  },
};

/** The date is always printed: below the table when all lines share it, otherwise on each line. */
function renderTable(lines: readonly Rate[], language: Language, today: string): string {
  const words = WORDS[language];
  const [first] = lines;
  const since = lines.every((line) => line.effectiveFrom === first?.effectiveFrom)
    ? (first?.effectiveFrom ?? null)
    : null;
  const columns: readonly Column[] = [
    { title: words.item, cell: (line) => line.name[language] },
    ...(lines.some((line) => Number(line.minAmount) > 0)
      ? [{ title: words.minimum, cell: (line: Rate) => minimumOf(line, words) }]
      : []),
    { title: words.value, cell: (line) => amountOf(line, words) },
    ...(since === null ? [{ title: words.since, cell: (line: Rate) => line.effectiveFrom }] : []),
  ];
  return `${markdown(columns, lines)}\n\n${words.dates(since, today)}`;
}

interface Column {
  readonly title: string;
  cell(line: Rate): string;
}

function markdown(columns: readonly Column[], lines: readonly Rate[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    row(columns.map((column) => column.title)),
    row(columns.map(() => '---')),
    ...lines.map((line) => row(columns.map((column) => column.cell(line)))),
  ].join('\n');
}

function minimumOf(line: Rate, words: Words): string {
  return Number(line.minAmount) > 0 ? words.amount(thousands(trimDecimal(line.minAmount, 0)), line.currency) : '-';
}

function amountOf(line: Rate, words: Words): string {
  if (line.unit !== 'per_100' && Number(line.value) === 0) return words.free;
  const decimals = line.unit === 'percent_per_year' || line.unit === 'per_100' ? 2 : 0;
  return words.units[line.unit](thousands(trimDecimal(line.value, decimals)));
}

/** 1.5500 is 1.55, 3.0000 is 3 or 3.00: no digit is lost, and none is invented beyond `least`. */
function trimDecimal(value: string, least: number): string {
  const [whole = '0', fraction = ''] = value.split('.');
  const kept = fraction.replace(/0+$/, '').padEnd(least, '0');
  return kept === '' ? whole : `${whole}.${kept}`;
}

function thousands(value: string): string {
  const [whole = '0', fraction] = value.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// ---- The demo bank -----------------------------------------------------------------------------------------------

/** One line of the demo's tables: invented values, none of a real bank. */
interface DemoLine {
  readonly table: string;
  readonly product: string;
  readonly term?: string;
  readonly minAmount?: number;
  readonly zh: string;
  readonly en: string;
  readonly unit: RateUnit;
  readonly value: number;
  /** Until `changed`; absent: the same as now. */
  readonly before?: number;
  readonly changed?: string;
}

const DEMO_FROM = '2026-01-01';
const DEMO_CHANGED = '2026-11-01';
/** The LPR is published on the 20th, and new loans follow at once. */
const LPR_CHANGED = '2026-10-20';

const percent = (
  table: string,
  product: string,
  term: string,
  zh: string,
  en: string,
  value: number,
  before: number,
  minAmount = 0,
): DemoLine => ({
  table,
  product,
  term,
  zh,
  en,
  value,
  before,
  minAmount,
  unit: 'percent_per_year',
  changed: DEMO_CHANGED,
});
const loan = (
  table: string,
  product: string,
  term: string,
  zh: string,
  en: string,
  value: number,
  before: number,
): DemoLine => ({
  ...percent(table, product, term, zh, en, value, before),
  changed: LPR_CHANGED,
});
const fee = (table: string, product: string, zh: string, en: string, unit: RateUnit, value: number): DemoLine => ({
  table,
  product,
  zh,
  en,
  unit,
  value,
});

const DEMO_LINES: readonly DemoLine[] = [
  percent('deposit-current', 'current', '', '活期存款（年利率）', 'Demand deposit (a year)', 0.05, 0.1),
  percent('deposit-term', 'term', '3m', '三个月定期', '3 months', 0.85, 0.95, 50),
  percent('deposit-term', 'term', '6m', '六个月定期', '6 months', 1.05, 1.15, 50),
  percent('deposit-term', 'term', '1y', '一年定期', '1 year', 1.2, 1.3, 50),
  percent('deposit-term', 'term', '2y', '二年定期', '2 years', 1.3, 1.4, 50),
  percent('deposit-term', 'term', '3y', '三年定期', '3 years', 1.55, 1.65, 50),
  percent('deposit-term', 'term', '5y', '五年定期', '5 years', 1.6, 1.7, 50),
  percent('deposit-notice', 'notice', '1d', '一天通知存款', '1-day notice', 0.2, 0.25, 50_000),
  percent('deposit-notice', 'notice', '7d', '七天通知存款', '7-day notice', 0.5, 0.6, 50_000),
  percent('deposit-large', 'large-cd', '1y', '大额存单一年', '1-year large CD', 1.35, 1.45, 200_000),
  percent('deposit-large', 'large-cd', '2y', '大额存单二年', '2-year large CD', 1.45, 1.55, 200_000),
  percent('deposit-large', 'large-cd', '3y', '大额存单三年', '3-year large CD', 1.75, 1.85, 200_000),
  loan('lpr', 'lpr', '1y', '一年期 LPR', '1-year LPR', 2.95, 3.05),
  loan('lpr', 'lpr', '5y', '五年期以上 LPR', 'LPR for more than 5 years', 3.45, 3.55),
  loan(
    'mortgage',
    'mortgage',
    'first',
    '首套住房（五年期以上 LPR 减 0.35 个百分点）',
    'First home (LPR for more than 5 years minus 0.35 points)',
    3.1,
    3.2,
  ),
  loan(
    'mortgage',
    'mortgage',
    'second',
    '二套住房（五年期以上 LPR 减 0.15 个百分点）',
    'Second home (LPR for more than 5 years minus 0.15 points)',
    3.3,
    3.4,
  ),
  loan(
    'loan-business',
    'merchant-credit',
    '1y',
    '映湖商户贷，信用方式（年化利率，单利，起）',
    'Merchant loan on credit (yearly, simple interest, from)',
    3.95,
    4.05,
  ),
  loan(
    'loan-business',
    'merchant-secured',
    '1y',
    '映湖商户贷，房产抵押（年化利率，单利，起）',
    'Merchant loan against property (yearly, simple interest, from)',
    3.35,
    3.45,
  ),
  fee('transfer-fees', 'app', '手机银行转账', 'Transfer in the app', 'each', 0),
  fee('transfer-fees', 'counter-own', '柜台转账，本行账户', 'Counter transfer, our own accounts', 'each', 0),
  fee(
    'transfer-fees',
    'counter-small',
    '柜台跨行转账，10,000 元（含）以内',
    'Counter transfer to another bank, up to CNY 10,000',
    'each',
    5,
  ),
  fee(
    'transfer-fees',
    'counter-middle',
    '柜台跨行转账，10,000 元到 100,000 元（含）',
    'Counter transfer to another bank, CNY 10,000 to 100,000',
    'each',
    10,
  ),
  fee(
    'transfer-fees',
    'counter-large',
    '柜台跨行转账，100,000 元以上',
    'Counter transfer to another bank, above CNY 100,000',
    'each',
    15,
  ),
  fee('transfer-fees', 'machine', '自助机跨行转账', 'Machine transfer to another bank', 'each', 2),
  fee(
    'transfer-fees',
    'cash-own',
    '本行自助机或柜台取款（含异地）',
    'Cash at our machines or counters, any city',
    'each',
    0,
  ),
  fee('transfer-fees', 'cash-other', '境内他行自助机取款', "Cash at another bank's machine in China", 'each', 3),
  fee('card-fees', 'annual', '借记卡年费', 'Debit card annual fee', 'per_year', 0),
  fee('card-fees', 'small-account', '小额账户管理费', 'Small-account fee', 'per_month', 0),
  fee('card-fees', 'new-card', '首次办卡工本费', 'First card', 'each', 0),
  fee('card-fees', 'damaged', '换卡工本费（损坏、到期）', 'Replacement of a damaged or expired card', 'each', 0),
  fee('card-fees', 'lost', '补卡工本费（遗失）', 'Replacement of a lost card', 'each', 5),
  fee('card-fees', 'loss-report', '挂失手续费', 'Loss report', 'each', 0),
  fee('credit-card-fees', 'standard', '普通卡', 'Standard card', 'per_year', 100),
  fee('credit-card-fees', 'gold', '金卡', 'Gold card', 'per_year', 200),
  fee('credit-card-fees', 'platinum', '白金卡', 'Platinum card', 'per_year', 600),
  fee('sms-fee', 'alerts', '账户变动短信通知', 'SMS alerts', 'per_month', 3),
  fee('sms-fee', 'app-notice', '手机银行、微信通知', 'Notices in the app and WeChat', 'per_month', 0),
];

/** Yuan for 100 units, buying and selling. A row lives one day; the demo has one for each of the next thirty. */
const DEMO_FX: readonly {
  readonly currency: string;
  readonly zh: string;
  readonly en: string;
  readonly buy: number;
  readonly sell: number;
}[] = [
  { currency: 'USD', zh: '美元', en: 'US dollar', buy: 706.2, sell: 709.1 },
  { currency: 'EUR', zh: '欧元', en: 'Euro', buy: 818.4, sell: 824.3 },
  { currency: 'JPY', zh: '日元', en: 'Japanese yen', buy: 4.62, sell: 4.66 },
  { currency: 'HKD', zh: '港币', en: 'Hong Kong dollar', buy: 90.6, sell: 91 },
  { currency: 'GBP', zh: '英镑', en: 'Pound sterling', buy: 941.5, sell: 948.2 },
];
const FX_DAYS = 30;
const DEMO_ZONE = 'Asia/Shanghai';
const DEMO_SOURCE = '演示数据 / Demo data';

/**
 * Gives the demo bank its rates. Safe at every start: a line that has a value for a day keeps it, and exchange rates,
 * which expire within the day, are continued for the next thirty days by the database's clock.
 */
export async function seedDemoRates(database: Database): Promise<void> {
  await database.query(
    `insert into rate (table_name, product, term, currency, min_amount, name_zh, name_en, value, unit, position,
                       effective_from, effective_to, source, approved_by)
     select r."table", r.product, r.term, 'CNY', r."minAmount", r.zh, r.en, r.value, r.unit, r.position,
            r."from", r."to", $2, 'rates-committee'
       from jsonb_to_recordset($1::jsonb)
         as r("table" text, product text, term text, "minAmount" numeric, zh text, en text, value numeric, unit text,
              position smallint, "from" date, "to" date)
     on conflict do nothing`,
    [JSON.stringify(DEMO_LINES.flatMap(demoRows)), DEMO_SOURCE],
  );
  await database.query(
    `insert into rate (table_name, product, term, currency, name_zh, name_en, value, unit, position,
                       effective_from, effective_to, source, approved_by)
     select 'fx', 'spot', r.side, r.currency, r.zh, r.en, r.value, 'per_100', r.position, day, day + 1, $2, 'fx-desk'
       from jsonb_to_recordset($1::jsonb)
         as r(side text, currency text, zh text, en text, value numeric, position smallint),
            generate_series(0, $3::int - 1) ahead,
            lateral (select (now() at time zone $4)::date + ahead as day) days
     on conflict do nothing`,
    [JSON.stringify(DEMO_FX.flatMap(demoFxRows)), DEMO_SOURCE, FX_DAYS, DEMO_ZONE],
  );
}

function demoRows(line: DemoLine, position: number): object[] {
  const row = { term: '', minAmount: 0, ...line, position };
  if (line.before === undefined || line.changed === undefined) return [{ ...row, from: DEMO_FROM, to: null }];
  return [
    { ...row, value: line.before, from: DEMO_FROM, to: line.changed },
    { ...row, from: line.changed, to: null },
  ];
}

function demoFxRows(line: (typeof DEMO_FX)[number], index: number): object[] {
  const { currency } = line;
  return [
    {
      side: 'buy',
      currency,
      zh: `${line.zh} ${currency} 买入价`,
      en: `${line.en} ${currency}, buying`,
      value: line.buy,
      position: index * 2,
    },
    {
      side: 'sell',
      currency,
      zh: `${line.zh} ${currency} 卖出价`,
      en: `${line.en} ${currency}, selling`,
      value: line.sell,
      position: index * 2 + 1,
    },
  ];
}
