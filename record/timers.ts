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

/** How long whoever took a due timer has, before another instance rings it. */
const LEASE_S = 15;

/** Takes waiting timers whose due time has passed, oldest first, each by one instance at a time. The commit of its turn settles it. */
export async function takeDueTimers(database: Database, limit: number): Promise<readonly TimerRow[]> {
  const rows = await database.query<Row>(
    `update timer t set leased_until = now() + $2::int * interval '1 second'
      where t.id in (
        select d.id from timer d
         where d.state = 'waiting' and d.due <= now() and (d.leased_until is null or d.leased_until < now())
         order by d.due limit $1
         for update skip locked)
      returning t.id, t.kind, t.conversation_id, t.subject, t.due, t.payload`,
    [limit, LEASE_S],
    'take_due_timers',
  );
  return rows.map(({ conversation_id: conversationId, ...row }) => ({ ...row, conversationId }));
}

/**
 * Puts the end of a visit off when somebody has spoken since it was set, or while the customer waits for a person.
 * Otherwise returns the version of the conversation on which the visit is over: on any other, somebody may have spoken.
 * `quietMs` is how long a visit may be silent.
 */
export async function judgeIdle(database: Database, timer: TimerRow, quietMs: number): Promise<number | null> {
  const [row] = await database.query<{ version: number; put_off: boolean }>(
    `with judged as (
       select c.ver, case when exists (select from handoff h where h.conversation_id = c.id and h.closed_at is null) then now()
                          else (select a.at from activity a
                                 where a.conversation_id = c.id and a.direction <> 'event' order by a.seq desc limit 1) end as at
         from conversation c where c.id = $3
     ), put_off as (
       update timer t set due = j.at + $2::int * interval '1 millisecond', leased_until = null
         from judged j
        where t.id = $1 and t.state = 'waiting' and j.at > now() - $2::int * interval '1 millisecond'
       returning t.id
     )
     select j.ver as version, exists (select from put_off) as put_off from judged j`,
    [timer.id, quietMs, timer.conversationId],
  );
  return row && !row.put_off ? row.version : null;
}
