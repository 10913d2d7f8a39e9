/** Rings the timers that are due: each becomes a turn of its conversation. */

import { dueTimers } from '../record/timers.ts';
import type { Database } from '../record/types.ts';
import type { Log } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Turns } from './turn.ts';

const BATCH = 64;

/** Polls for due timers. Which of several pollers wins does not matter: the commit of the timer's turn decides. */
export function startTimers(parts: {
  readonly database: Database;
  readonly turns: Pick<Turns, 'fire'>;
  readonly log: Log;
  readonly pollMs: number;
}): Loop {
  return startLoop({ pollMs: parts.pollMs, log: parts.log, name: 'timers' }, async () => {
    const due = await dueTimers(parts.database, BATCH);
    await Promise.all(due.map((timer) => parts.turns.fire(timer)));
    return false;
  });
}
