/** Rings the timers that are due: each becomes a turn of its conversation. */

import { judgeIdle, takeDueTimers } from '../record/timers.ts';
import type { Database, TimerRow } from '../record/types.ts';
import type { Log } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Turns } from './turn.ts';
import { VISIT_QUIET_MS } from './visits.ts';

const BATCH = 64;

/** What ringing works with. */
export interface TimerParts {
  readonly database: Database;
  readonly turns: Pick<Turns, 'fire'>;
  readonly log: Log;
  readonly pollMs: number;
  readonly quietMs?: number;
}

/** Polls for due timers. Which of several instances rings one does not matter: the commit of the timer's turn decides. */
export function startTimers(parts: TimerParts): Loop {
  return startLoop({ pollMs: parts.pollMs, log: parts.log, name: 'timers' }, () => ringOnce(parts));
}

/** Rings one batch. Returns whether there may be more. */
export async function ringOnce(parts: TimerParts): Promise<boolean> {
  const due = await takeDueTimers(parts.database, BATCH);
  await Promise.all(due.map((timer) => ring(parts, timer)));
  return due.length === BATCH;
}

async function ring({ database, turns, quietMs = VISIT_QUIET_MS }: TimerParts, timer: TimerRow): Promise<void> {
  switch (timer.kind) {
    case 'answer':
      return turns.fire(timer);
    case 'idle': {
      const quietOn = await judgeIdle(database, timer, quietMs);
      if (quietOn !== null) await turns.fire(timer, quietOn);
    }
  }
}
