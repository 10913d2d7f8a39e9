/** What the figures must come to: ratios to a baseline of the same run. */

import { type Spread, spread } from './figures.ts';
import type { VariantName } from './variants.ts';

/** `subject` does at least `atLeast` times as many turns a second as `baseline`, at so many clients. */
export interface Goal {
  readonly subject: VariantName;
  readonly baseline: VariantName;
  readonly clients: number;
  readonly atLeast: number;
  /** What would be better still; printed, not judged. */
  readonly stretch?: number;
}

export const GOALS: readonly Goal[] = [
  { subject: 'lobby', baseline: 'cloud-service-url', clients: 16, atLeast: 1 },
  { subject: 'lobby', baseline: 'bot-adapter', clients: 16, atLeast: 0.5 },
  { subject: 'lobby', baseline: 'naive', clients: 16, atLeast: 1.2 },
  { subject: 'commit-turn-group', baseline: 'commit-one-row', clients: 16, atLeast: 0.4, stretch: 0.6 },
  { subject: 'commit-turn-group', baseline: 'commit-naive', clients: 16, atLeast: 2.4 },
  { subject: 'commit-turn-group', baseline: 'commit-naive', clients: 64, atLeast: 5 },
];

/** Turns a second of one variant at so many clients, one for each repeat. */
export type Rates = (variant: VariantName, clients: number) => readonly number[];

export type Verdict =
  | { readonly goal: Goal; readonly verdict: 'met' | 'not met'; readonly ratio: Spread }
  | { readonly goal: Goal; readonly verdict: 'not measured' };

/** Judges by the middle of the ratios, each taken within one repeat: what slows a whole repeat slows both of its sides. */
export function judge(goal: Goal, rates: Rates): Verdict {
  const subject = rates(goal.subject, goal.clients);
  const baseline = rates(goal.baseline, goal.clients);
  const ratio = spread(
    subject.flatMap((rate, repeat) => rate / (baseline[repeat] ?? Number.NaN)).filter(Number.isFinite),
  );
  if (!ratio) return { goal, verdict: 'not measured' };
  return { goal, verdict: ratio.median >= goal.atLeast ? 'met' : 'not met', ratio };
}
