/** Goals that are not ratios of rates: one figure each, and what it must come to. */

import { grid } from './report.ts';

/** One figure held against its goal. */
export interface Check {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly met: boolean;
}

export function atMost(what: string, value: number, most: number, unit = ''): Check {
  return { what, figure: `${rounded(value)}${unit}`, goal: `≤ ${most}${unit}`, met: value <= most };
}

export function exactly(what: string, value: number, goal: number): Check {
  return { what, figure: rounded(value), goal: String(goal), met: value === goal };
}

/** The goals as a table. */
export function checksTable(checks: readonly Check[]): string {
  return grid([
    ['goal', 'figure', '', ''],
    ...checks.map(({ what, figure, goal, met }) => [what, figure, goal, met ? 'met' : 'not met']),
  ]);
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
