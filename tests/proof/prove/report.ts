/** What a run came to, as a table for people and as figures for programs. */

import { VERDICTS, type Verdict, type Violation } from './audit.ts';
import type { Outcome } from './run.ts';

const SHOWN_VIOLATIONS = 20;

/** The figures of `--json`. The first seven are what the contract promises. */
export function figuresOf(outcome: Outcome): Record<string, unknown> {
  const { turns, harm, points, faults, violations, ...details } = outcome;
  return {
    turns: sum(turns),
    kills: killsOf(outcome),
    faults: sum(faults),
    ...verdictsOf(violations),
    turnsBy: turns,
    killsBy: { service: harm.service, gate: points, redis: harm.redis, postgres: harm.postgres },
    redisFrozen: harm.redisFrozen,
    redisFlushed: harm.redisFlushed,
    faultsBy: faults,
    ...details,
    violations,
  };
}

/** Nothing wrong, and something happened. */
export function isProven({ turns, violations }: Outcome): boolean {
  return sum(turns) > 0 && violations.length === 0;
}

/** What a long run must have done and has not. */
export function shortfalls({ turns, harm, points, faults }: Outcome): readonly string[] {
  const needed: readonly (readonly [what: string, count: number, least: number])[] = [
    ['kills of the service', harm.service, 60],
    ['kills of the gate', sum(points), 300],
    ['kills of the gate at the point hit least', Math.min(...Object.values(points)), 10],
    ['kills of Redis', harm.redis, 20],
    ['kills of PostgreSQL', harm.postgres, 20],
    ['network faults', sum(faults), 300],
    ['turns', sum(turns), 5_000],
  ];
  return needed
    .filter(([, count, least]) => count < least)
    .map(([what, count, least]) => `${count} ${what} of ${least}`);
}

export function table(outcome: Outcome): string {
  const { seed, seconds, cores, durability, turns, harm, points, faults, violations } = outcome;
  const verdicts = verdictsOf(violations);
  const rows: readonly (readonly [string, number, string])[] = [
    ['turns', sum(turns), `service ${turns.service} · gate ${turns.gate} · ${outcome.retries} tries again`],
    ['kills', killsOf(outcome), ''],
    ['  service', harm.service, `at random · ${outcome.gaveUp} starts given up`],
    ['  gate', sum(points), list(points)],
    ['  Redis', harm.redis, `frozen ${harm.redisFrozen} · flushed ${harm.redisFlushed}`],
    ['  PostgreSQL', harm.postgres, durability],
    ['network faults', sum(faults), list(faults)],
    ['lost', verdicts.lost, ''],
    ['doubled', verdicts.doubled, `sent again after an unknown outcome, as promised: ${outcome.resent}`],
    ['out of order', verdicts.outOfOrder, ''],
    ['unanswered', verdicts.unanswered, `calm after ${outcome.calmAfterSeconds.toFixed(1)} s`],
  ];
  const lines = rows.map(([what, count, more]) => `${what.padEnd(16)}${String(count).padStart(7)}   ${more}`.trimEnd());
  return [`${seconds} s · seed ${seed} · ${cores} cores`, '', ...lines, ...details(violations)].join('\n');
}

function details(violations: readonly Violation[]): string[] {
  const shown = violations.slice(0, SHOWN_VIOLATIONS).map(({ verdict, evidence }) => `${verdict}: ${evidence}`);
  const more = violations.length - shown.length;
  return [...(shown.length > 0 ? ['', ...shown] : []), ...(more > 0 ? [`… and ${more} more (--json has all)`] : [])];
}

function verdictsOf(violations: readonly Violation[]): Record<Verdict, number> {
  const count = (verdict: Verdict): number => violations.filter((each) => each.verdict === verdict).length;
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)])) as Record<Verdict, number>;
}

function killsOf({ harm, points }: Outcome): number {
  return harm.service + harm.redis + harm.postgres + sum(points);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(' · ');
}
