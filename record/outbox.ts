/** The outbox: messages that must be pushed to a customer, in order, and what became of each. */

import { ACTIVITY_COLUMNS, toRecorded } from './conversations.ts';
import type { Database, MessageClass, RecordedActivity } from './types.ts';

/** A message somebody holds the lease of and must now send. */
export interface LeasedMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly channel: string;
  readonly route: string;
  readonly class: MessageClass;
  /** Attempts including this one. */
  readonly tries: number;
  readonly leaseToken: string;
  readonly activities: readonly RecordedActivity[];
}

/**
 * What an attempt to send came to.
 * - `sent`: the channel took it.
 * - `refused`: the channel certainly did not take it, and never will.
 * - `retry`: the channel certainly did not take it; try again after `afterMs`.
 * - `unknown`: nobody can say (time-out, connection cut after the request left).
 */
export type Attempt =
  | { readonly result: 'sent'; readonly wireId: string | null }
  | { readonly result: 'refused'; readonly code: string }
  | { readonly result: 'retry'; readonly code: string; readonly afterMs: number }
  | { readonly result: 'unknown'; readonly code: string };

/** After this many attempts a message that keeps failing is given up, visibly. */
export const MOST_TRIES = 8;

/**
 * After this many attempts cut short by the death of their sender a message is given up. Far more than the above: it is
 * the sender that is broken then, and the message may never have left.
 */
const MOST_DEATHS = 64;

/** How long after an unknown outcome a `must` message is sent again: a double is better than a loss there, and only there. */
const RESEND_UNKNOWN_MS = 10_000;

interface ClaimRow {
  readonly id: string;
  readonly conversation_id: string;
  readonly channel: string;
  readonly route: string;
  readonly class: MessageClass;
  readonly tries: number;
  readonly seq_from: number;
  readonly seq_to: number;
}

/**
 * Leases due messages, only ever the oldest open one of a conversation, so that order holds with any number of senders.
 * A lease that has run out belongs to a sender that died with the attempt under way: its outcome is unknown.
 */
export async function leaseMessages(
  database: Database,
  options: { readonly limit: number; readonly leaseMs: number; readonly leaseToken: string },
): Promise<readonly LeasedMessage[]> {
  await lapseLeases(database);
  const rows = await database.query<ClaimRow>(
    `update outbox o
        set state = 'leased', lease_token = $1, leased_until = now() + $2::int * interval '1 millisecond',
            attempt_started = now(), tries = o.tries + 1
      where o.id in (
        select h.id from outbox h
         where h.state = 'ready' and h.due <= now()
           and not exists (
             select from outbox e
              where e.conversation_id = h.conversation_id and e.seq_from < h.seq_from and e.state in ('ready', 'leased', 'held'))
         order by h.due limit $3
         for update skip locked)
      returning o.id, o.conversation_id, o.channel, o.route, o.class, o.tries, o.seq_from, o.seq_to`,
    [options.leaseToken, options.leaseMs, options.limit],
  );
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      conversationId: row.conversation_id,
      channel: row.channel,
      route: row.route,
      class: row.class,
      tries: row.tries,
      leaseToken: options.leaseToken,
      activities: await readRange(database, row.conversation_id, row.seq_from, row.seq_to),
    })),
  );
}

async function lapseLeases(database: Database): Promise<void> {
  await database.query(
    `update outbox
        set state = case when class = 'must' and tries < $1 then 'ready' else 'unknown' end,
            due = now(), lease_token = null, outcome = 'unknown', errcode = 'sender_died',
            done_at = case when class = 'must' and tries < $1 then null else now() end
      where state = 'leased' and leased_until < now()`,
    [MOST_DEATHS],
  );
}

async function readRange(
  database: Database,
  conversationId: string,
  from: number,
  to: number,
): Promise<readonly RecordedActivity[]> {
  const rows = await database.query<Parameters<typeof toRecorded>[0]>(
    `select ${ACTIVITY_COLUMNS} from activity a where a.conversation_id = $1 and a.seq between $2 and $3 order by a.seq`,
    [conversationId, from, to],
  );
  return rows.map(toRecorded);
}

/** Writes down what an attempt came to, if the lease is still ours. Returns whether it was. */
export async function settleMessage(database: Database, message: LeasedMessage, attempt: Attempt): Promise<boolean> {
  const next = nextState(message, attempt);
  const rows = await database.query(
    `update outbox
        set state = $3, due = now() + $4::int * interval '1 millisecond', outcome = $5, errcode = $6, wire_id = $7,
            lease_token = null, done_at = case when $3 = 'ready' then null else now() end
      where id = $1 and lease_token = $2 and state = 'leased'
      returning id`,
    [
      message.id,
      message.leaseToken,
      next.state,
      next.afterMs,
      attempt.result,
      attempt.result === 'sent' ? null : attempt.code,
      attempt.result === 'sent' ? attempt.wireId : null,
    ],
  );
  return rows.length === 1;
}

function nextState(
  message: LeasedMessage,
  attempt: Attempt,
): { readonly state: 'done' | 'failed' | 'unknown' | 'ready'; readonly afterMs: number } {
  const again = message.tries < MOST_TRIES;
  switch (attempt.result) {
    case 'sent':
      return { state: 'done', afterMs: 0 };
    case 'refused':
      return { state: 'failed', afterMs: 0 };
    case 'retry':
      return again ? { state: 'ready', afterMs: attempt.afterMs } : { state: 'failed', afterMs: 0 };
    case 'unknown':
      return again && message.class === 'must'
        ? { state: 'ready', afterMs: RESEND_UNKNOWN_MS }
        : { state: 'unknown', afterMs: 0 };
  }
}
