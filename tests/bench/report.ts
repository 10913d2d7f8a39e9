/** How a run is told: tables of medians and ranges, every figure beside its baseline, and the goals. */

import { type Spread, spread } from './figures.ts';
import type { Rates, Verdict } from './goals.ts';
import type { Figures } from './run.ts';
import { VARIANTS } from './variants.ts';

/** What every table's ratio column compares with. */
const REFERENCES = { http: 'restify', inside: 'commit-one-row' } as const;

/** Turns a second of each repeat, from the figures of a run. */
export function ratesOf(figures: readonly Figures[]): Rates {
  return (variant, clients) =>
    figures.filter((each) => each.variant === variant && each.clients === clients).map((each) => each.perSecond);
}

/** The tables: one for each number of clients, HTTP first. */
export function tables(figures: readonly Figures[]): string {
  const clients = [...new Set(figures.map((each) => each.clients))].sort((a, b) => a - b);
  return (['http', 'inside'] as const)
    .flatMap((over) =>
      clients.map((count) =>
        tableOf(
          over,
          figures.filter((each) => each.clients === count),
        ),
      ),
    )
    .filter((table) => table !== '')
    .join('\n\n');
}

function tableOf(over: 'http' | 'inside', figures: readonly Figures[]): string {
  const reference = REFERENCES[over];
  const base = figures.filter((each) => each.variant === reference).map((each) => each.perSecond);
  const rows = VARIANTS.filter((variant) => variant.over === over).flatMap(({ name }) => {
    const own = figures.filter((each) => each.variant === name);
    return own.length === 0 ? [] : [rowOf(name, own, base)];
  });
  const [first] = figures;
  if (rows.length === 0 || !first) return '';
  const where = over === 'http' ? 'over HTTP' : 'inside one process';
  const title = `${first.clients} ${first.clients === 1 ? 'client' : 'clients'} ${where}`;
  const heads = [
    '',
    'turns/s',
    'range',
    `× ${reference}`,
    'p50 ms',
    'p99 ms',
    'CPU ms/turn',
    'PG CPU',
    'Redis CPU',
    'SQL/turn',
    'Redis/turn',
    'commits/turn',
  ];
  return `${title}\n${grid([heads, ...rows])}`;
}

function rowOf(name: string, own: readonly Figures[], base: readonly number[]): readonly string[] {
  const middle = (of: (figures: Figures) => number | null, digits: number): string =>
    fixed(spread(own.map(of).filter((value) => value !== null))?.median, digits);
  const rates = own.map((each) => each.perSecond);
  const ratio = spread(rates.map((rate, index) => rate / (base[index] ?? Number.NaN)).filter(Number.isFinite));
  return [
    name,
    middle((each) => each.perSecond, 0),
    rangeOf(spread(rates), 0),
    fixed(ratio?.median, 2),
    middle((each) => each.p50Ms, 2),
    middle((each) => each.p99Ms, 2),
    middle((each) => each.cpuMsPerTurn, 3),
    middle((each) => each.postgresCpuMsPerTurn, 3),
    middle((each) => each.redisCpuMsPerTurn, 3),
    middle((each) => each.statementsPerTurn, 2),
    middle((each) => each.redisCommandsPerTurn, 2),
    middle((each) => each.commitsPerTurn, 2),
  ];
}

/** The table of goals. */
export function goalsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((each) => {
    const { goal, verdict } = each;
    const [ratio, range] =
      verdict === 'not measured' ? ['–', '–'] : [fixed(each.ratio.median, 2), rangeOf(each.ratio, 2)];
    const stretch = goal.stretch === undefined ? '' : `(stretch ${goal.stretch})`;
    return [
      `${goal.subject} at ${goal.clients}`,
      `≥ ${goal.atLeast} × ${goal.baseline}`,
      ratio,
      range,
      verdict,
      stretch,
    ];
  });
  return grid([['goal', '', 'ratio', 'range', '', ''], ...rows]);
}

function rangeOf(value: Spread | null, digits: number): string {
  return value ? `${fixed(value.least, digits)}–${fixed(value.most, digits)}` : '–';
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

/** Columns as wide as their widest cell; the first is read, the others are compared. */
export function grid(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd(),
    )
    .join('\n');
}
