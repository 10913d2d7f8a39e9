/** Messages that did not arrive: seen by an administrator, who sends them again or gives them up, once and by name. */

import type { Database, MessageClass } from './types.ts';

/** Where a message stands that no sender will move by itself. `held` waits for the customer to write. */
export const UNDELIVERED = ['failed', 'unknown', 'held'] as const;
export type Undelivered = (typeof UNDELIVERED)[number];

/** One such message, without a word of it. */
export interface DeadLetter {
  readonly id: string;
  readonly channel: string;
  readonly class: MessageClass;
  readonly state: Undelivered;
  readonly tries: number;
  readonly errcode: string | null;
  /** The beginning of the conversation's id: enough to tell conversations apart. */
  readonly conversation: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  /** ISO instants: when it was said, and when its last attempt began. */
  readonly createdAt: string;
  readonly triedAt: string | null;
  /** The last thing an administrator did about it. */
  readonly lastAction: string | null;
  readonly lastActionBy: string | null;
  readonly lastActionAt: string | null;
}

/** The oldest messages in these states, and how many there are in all. */
export async function listDeadLetters(
  database: Database,
  { states, limit }: { readonly states: readonly Undelivered[]; readonly limit: number },
): Promise<{ readonly letters: readonly DeadLetter[]; readonly total: number }> {
  const letters = await database.query<DeadLetter>(
    `select o.id, o.channel, o.class, o.state, o.tries, o.errcode, left(o.conversation_id, 8) as conversation,
            o.seq_from as "seqFrom", o.seq_to as "seqTo", o.created_at as "createdAt", o.attempt_started as "triedAt",
            a.action as "lastAction", a.by as "lastActionBy", a.at as "lastActionAt"
       from outbox o
       left join lateral (select * from outbox_action a where a.outbox_id = o.id order by a.id desc limit 1) a on true
      where o.state = any ($1) and o.state in ('failed', 'unknown', 'held')
      order by o.created_at, o.conversation_id, o.seq_from limit $2`,
    [states, limit],
  );
  const [count] = await database.query<{ total: number }>(
    `select count(*) as total from outbox where state = any ($1) and state in ('failed', 'unknown', 'held')`,
    [states],
  );
  return { letters, total: count?.total ?? 0 };
}

/** What became of an administrator's word about one message. */
export type Treated =
  | { readonly id: string; readonly outcome: 'done' }
  | { readonly id: string; readonly outcome: 'absent' }
  /** Its conversation was erased. */
  | { readonly id: string; readonly outcome: 'erased' }
  /** It stands somewhere the word does not reach: sent, being sent, or another administrator was quicker. */
  | { readonly id: string; readonly outcome: 'refused'; readonly state: string };

const REACHES = {
  resend: ['failed', 'unknown', 'expired', 'cancelled'],
  cancel: ['ready', 'held', 'failed', 'unknown', 'expired'],
} as const;

/**
 * Sends messages again, or gives them up, and writes down who said so. A message sent again is due now, with all its tries,
 * and ahead of everything its conversation still waits to send. Of two administrators who say the same, one is refused.
 */
export async function treatDeadLetters(
  database: Database,
  { action, ids, by }: { readonly action: 'resend' | 'cancel'; readonly ids: readonly string[]; readonly by: string },
): Promise<readonly Treated[]> {
  const treated = await database.query<{ id: string }>(
    `with before as (
       select o.id, o.state, o.tries, o.errcode from outbox o join conversation c on c.id = o.conversation_id
        where o.id = any ($1::uuid[]) and o.state = any ($2) and c.erased_at is null
        order by o.id for update of o
     ), moved as (
       update outbox o
          set state = case $3 when 'resend' then 'ready' else 'cancelled' end,
              tries = case $3 when 'resend' then 0 else o.tries end,
              outcome = case $3 when 'resend' then null else o.outcome end,
              errcode = case $3 when 'resend' then null else o.errcode end,
              done_at = case $3 when 'resend' then null else now() end,
              due = now(), lease_token = null, leased_until = null
         from before b where o.id = b.id
       returning o.id
     )
     insert into outbox_action (outbox_id, action, by, state, tries, errcode)
     select b.id, $3, $4, b.state, b.tries, b.errcode from before b join moved m on m.id = b.id
     returning outbox_id as id`,
    [ids, REACHES[action], action, by],
  );
  const done = new Set(treated.map(({ id }) => id));
  const rest = await standings(database, ids);
  return ids.map((id) => (done.has(id) ? { id, outcome: 'done' } : (rest.get(id) ?? { id, outcome: 'absent' })));
}

async function standings(database: Database, ids: readonly string[]): Promise<ReadonlyMap<string, Treated>> {
  const rows = await database.query<{ id: string; state: string; erased: boolean }>(
    `select o.id, o.state, c.erased_at is not null as erased from outbox o join conversation c on c.id = o.conversation_id
      where o.id = any ($1::uuid[])`,
    [ids],
  );
  return new Map(
    rows.map(({ id, state, erased }) => [id, erased ? { id, outcome: 'erased' } : { id, outcome: 'refused', state }]),
  );
}
