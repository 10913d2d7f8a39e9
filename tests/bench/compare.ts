/** Lobby beside its baselines: every variant measured in turns, round after round, and the goals that are ratios of rates. */

import { GOALS, judge } from './goals.ts';
import type { CompareOptions } from './options.ts';
import { goalsTable, ratesOf, tables } from './report.ts';
import { type Figures, Run } from './run.ts';
import type { Stage } from './stage.ts';

/** More than this of other processes' work in a window makes it doubtful. */
const FOREIGN_CORES = 0.25;

export async function compare(options: CompareOptions, stage: Stage): Promise<boolean> {
  const parts = await stage.open();
  const figures = await new Run(options, stage).measure(parts);
  const foreign = Math.max(0, ...figures.map((each) => each.foreignCores ?? 0));
  if (foreign > FOREIGN_CORES) stage.doubt(`other processes used up to ${foreign.toFixed(1)} cores during a window`);

  const verdicts = GOALS.map((goal) => judge(goal, ratesOf(figures)));
  stage.say(`\n${tables(figures)}\n`);
  stage.say(goalsTable(verdicts));
  stage.say(
    '\nMedians of the repeats; ratios are taken within a repeat. CPU is of the measured processes; PG CPU and Redis CPU are beside it.',
  );
  await stage.close({ goals: verdicts, figures }, ` · fdatasync ${syncRate(figures)}`);
  return !verdicts.some(({ verdict }) => verdict === 'not met');
}

function syncRate(figures: readonly Figures[]): string {
  const rates = ratesOf(figures)('fdatasync', 1);
  return rates.length === 0 ? 'not measured' : `${rates.map((rate) => rate.toFixed(0)).join(', ')}/s`;
}
