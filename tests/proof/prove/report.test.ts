/** What the crash proof says of itself: what counts as proven, what a long run owes, and the figures for programs. */

import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';
import { POINTS, type Point } from './points.ts';
import { figuresOf, isProven, shortfalls, table } from './report.ts';
import type { Outcome } from './run.ts';

const pointsOf = (count: number): Record<Point, number> =>
  Object.fromEntries(POINTS.map((point) => [point, count])) as Record<Point, number>;

const outcome: Outcome = {
  seed: 7,
  seconds: 900,
  cores: 2,
  durability: 'fsync on',
  turns: { service: 2_000, gate: 4_000 },
  harm: { service: 70, postgres: 30, redis: 25, redisFrozen: 4, redisFlushed: 5 },
  points: pointsOf(30),
  faults: { latency: 60, stall: 60, drip: 60, reset: 60, cut: 60, 'half-open': 60 },
  gaveUp: 3,
  retries: 900,
  resent: 2,
  calmAfterSeconds: 31.2,
  violations: [],
};
const lost: Outcome = {
  ...outcome,
  violations: [{ verdict: 'lost', evidence: 'I1 acknowledged and not recorded: k9' }],
};

describe('the crash proof', () => {
  test('is proven when turns were taken and nothing was violated', () => {
    expect(isProven(outcome)).toBe(true);
    expect(isProven(lost)).toBe(false);
    expect(isProven({ ...outcome, turns: { service: 0, gate: 0 } })).toBe(false);
  });

  test('gives programs the seven figures of the contract', () => {
    expect(figuresOf(lost)).toMatchObject({
      turns: 6_000,
      kills: 70 + 30 + 25 + 30 * POINTS.length,
      faults: 360,
      lost: 1,
      doubled: 0,
      outOfOrder: 0,
      unanswered: 0,
    });
  });

  test('prints every violation with its evidence', () => {
    expect(table(lost)).toContain('lost: I1 acknowledged and not recorded: k9');
  });

  test('owes nothing after a long run in which enough happened', () => {
    expect(shortfalls(outcome)).toEqual([]);
  });

  test.each<[string, Partial<Outcome>]>([
    ['59 kills of the service of 60', { harm: { ...outcome.harm, service: 59 } }],
    ['19 kills of Redis of 20', { harm: { ...outcome.harm, redis: 19 } }],
    ['19 kills of PostgreSQL of 20', { harm: { ...outcome.harm, postgres: 19 } }],
    ['9 kills of the gate at the point hit least of 10', { points: { ...outcome.points, 'in-commit': 9 } }],
    ['4999 turns of 5000', { turns: { service: 0, gate: 4_999 } }],
  ])('owes more after a long run with %s', (missing, less) => {
    expect(shortfalls({ ...outcome, ...less })).toEqual([missing]);
  });

  test('takes its arguments, and says what is wrong with them', () => {
    expect(readOptions(['--seconds', '120', '--redis', 'freeze', '--only', 'gate'], () => 5)).toEqual({
      seconds: 120,
      seed: 5,
      only: 'gate',
      redis: 'freeze',
      long: false,
      mutants: false,
      json: null,
    });
    expect(readOptions(['--long'], () => 5)).toMatchObject({ seconds: 900, long: true });
    expect(() => readOptions(['--seconds', 'soon'], () => 5)).toThrow('--seconds must be a whole number');
    expect(() => readOptions(['--redis', 'drown'], () => 5)).toThrow('--redis must be one of');
  });
});
