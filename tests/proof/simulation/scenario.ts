/** What a simulated day at the bank consists of: who writes what, who takes over, and how much may go wrong. */

import fc from 'fast-check';
import { WORDS, type Word } from './bot.ts';
import type { Misfortune } from './chaos.ts';
import { VISIT_QUIET_MS } from './instance.ts';
import { UNSTORABLE } from './model-record.ts';

/** One customer in one conversation. */
export interface CustomerPlan {
  /** How the answers come: read from the record, in the response, or pushed. */
  readonly delivery: 'stream' | 'inline' | 'outbox';
  /** Waits for each acknowledgement before writing again. */
  readonly patient: boolean;
  /** How long a patient customer waits before writing again. */
  readonly gapMs: number;
  readonly words: readonly Word[];
}

/** Somebody of the bank who takes a conversation over, says something, and gives it back or ends it. */
export interface StaffPlan {
  /** Which customer's conversation. */
  readonly customer: number;
  readonly atMs: number;
  readonly says: number;
  readonly thinksMs: number;
  readonly leavesTo: 'bot' | 'none';
}

export interface Scenario {
  /** Decides everything the rest leaves open. */
  readonly seed: number;
  readonly instances: number;
  /** Most requests come to one instance, so that its commits are batched; otherwise they are spread. */
  readonly crowded: boolean;
  /** Hints and leases between the instances. */
  readonly redis: boolean;
  readonly customers: readonly CustomerPlan[];
  readonly staff: readonly StaffPlan[];
  /** When an instance is asked to stop in good order. */
  readonly drainsAtMs: readonly number[];
  readonly misfortune: Misfortune;
}

/** Mostly words the bot answers at once. */
const word = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Word>('hello') },
  { weight: 5, arbitrary: fc.constantFrom<Word>(...WORDS) },
  { weight: 1, arbitrary: fc.constant<Word>(UNSTORABLE) },
);

const customer: fc.Arbitrary<CustomerPlan> = fc.record({
  delivery: fc.constantFrom('stream', 'outbox', 'outbox', 'stream', 'inline'),
  patient: fc.boolean(),
  gapMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: VISIT_QUIET_MS - 500, max: VISIT_QUIET_MS + 2_500 }) },
  ),
  words: fc.array(word, { minLength: 1, maxLength: 4 }),
});

const staff: fc.Arbitrary<StaffPlan> = fc.record({
  customer: fc.constantFrom(0, 0, 1),
  atMs: fc.constantFrom(20, 100, 1_000, 9_000, 15_000),
  says: fc.nat({ max: 2 }),
  thinksMs: fc.nat({ max: 8_000 }),
  leavesTo: fc.constantFrom('bot', 'none'),
});

const misfortune: fc.Arbitrary<Misfortune> = fc.record({
  untilMs: fc.constantFrom(10_000, 40_000, 80_000),
  crashes: fc.nat({ max: 4 }),
  pauses: fc.nat({ max: 2 }),
  loss: fc.constantFrom(0, 0.02, 0.1, 0.25),
  doubles: fc.constantFrom(0, 0.1, 0.3),
  slowestMs: fc.constantFrom(5, 50, 3_000),
  databaseAway: fc.oneof(
    { weight: 4, arbitrary: fc.constant<[number, number]>([0, 0]) },
    { weight: 1, arbitrary: fc.nat({ max: 5_000 }).map((from): [number, number] => [from, from + 4_000]) },
  ),
});

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.noShrink(fc.integer({ min: 0, max: 0x7fff_ffff })),
  instances: fc.integer({ min: 2, max: 3 }),
  crowded: fc.boolean(),
  redis: fc.boolean(),
  customers: fc.array(customer, { minLength: 1, maxLength: 4 }),
  staff: fc.array(staff, { maxLength: 2 }),
  drainsAtMs: fc.array(fc.nat({ max: 20_000 }), { maxLength: 1 }),
  misfortune,
});
