/** Timers: what will be a turn at its due time, whatever restarts in between. The rows are the truth. */

import type { Database, TimerRow } from './types.ts';

interface Row {
  readonly id: string;
  readonly kind: TimerRow['kind'];
  readonly conversation_id: string;
  readonly subject: string;
  readonly due: string;
  readonly payload: Record<string, unknown>;
}

/** Waiting timers whose due time has passed, oldest first. Reading them changes nothing: the commit of their turn does. */
export async function dueTimers(database: Database, limit: number): Promise<readonly TimerRow[]> {
  const rows = await database.query<Row>(
    `select id, kind, conversation_id, subject, due, payload
       from timer where state = 'waiting' and due <= now() order by due limit $1`,
    [limit],
  );
  return rows.map(({ conversation_id: conversationId, ...row }) => ({ ...row, conversationId }));
}
