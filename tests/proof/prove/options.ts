/** The command line of `npm run prove`. */

import { parseArgs } from 'node:util';

/** What becomes of Redis during a run. */
const REDIS_PLANS = ['mixed', 'off', 'flush', 'freeze', 'stop'] as const;
export type RedisPlan = (typeof REDIS_PLANS)[number];

export interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly only: 'full' | 'gate' | null;
  readonly redis: RedisPlan;
  /** The counts of a long run must be reached too. */
  readonly long: boolean;
  readonly json: string | null;
  /** Hunts the seeded defects instead. */
  readonly mutants: boolean;
}

const LONG_SECONDS = 900;
/** After half an hour tokens end, and visits that nobody goes on with. */
const MOST_SECONDS = 1_500;

export const HELP = `npm run prove -- [options]

The crash proof. Three processes of the whole service and two of its gate alone serve customers who retry, over a network
that breaks, while service, gate, PostgreSQL and Redis are killed over and over. Afterwards the record and what every
customer saw are audited: nothing may be lost, doubled, out of order or unanswered.

  --seconds 60     how long things go wrong; calming down and the audit take up to a minute more
  --long           ${LONG_SECONDS} s, and fails unless there were at least 60 kills of the service, 300 of the gate (10 at each
                   point), 20 of Redis and of PostgreSQL, 300 faults and 5,000 turns
  --seed N         the same faults and kills again, as far as the machine lets moments repeat
  --only full      the service alone; --only gate: the gate alone
  --redis PLAN     mixed (killed, frozen, flushed), off (there is none), or in the middle of the run flush, freeze, stop
  --mutants        instead of all this: plants every known defect, one after another, and shows how it is noticed
  --json FILE      writes {turns, kills, faults, lost, doubled, outOfOrder, unanswered} and the details
  --help

The exit code is 0 only when something happened and the last four are 0.`;

/** Reads the arguments; throws with a sentence about the first wrong one. */
export function readOptions(args: readonly string[], anySeed: () => number): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string' },
      long: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      seed: { type: 'string' },
      only: { type: 'string' },
      redis: { type: 'string', default: 'mixed' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const seconds = values.seconds ?? String(values.long ? LONG_SECONDS : 60);
  return {
    seconds: number('--seconds', seconds, 5, MOST_SECONDS),
    seed: values.seed === undefined ? anySeed() : number('--seed', values.seed, 0, 2 ** 32 - 1),
    only: values.only === undefined ? null : oneOf('--only', values.only, ['full', 'gate']),
    redis: oneOf('--redis', values.redis, REDIS_PLANS),
    long: values.long,
    mutants: values.mutants,
    json: values.json ?? null,
  };
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${option} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`);
}

function oneOf<const Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new Error(`${option} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}.`);
}
