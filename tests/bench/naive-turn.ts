/** The turn as it is usually written: a lock in Redis, one transaction of small statements, then publish and unlock. */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import { benchState } from './turn.ts';

/** Plain tables: what the naive turn writes, and the one row of the one-row commit. */
export const NAIVE_TABLES = `
  create table naive_conversation (id text primary key, seq bigint not null default 0, state jsonb not null default '{}');
  create table naive_activity (
    conversation_id text not null references naive_conversation, seq bigint not null, direction text not null,
    body jsonb not null, at timestamptz not null default now(), primary key (conversation_id, seq));
  create table naive_outbox (
    id bigint generated always as identity primary key, conversation_id text not null references naive_conversation,
    seq bigint not null, body jsonb not null, state text not null default 'ready', due timestamptz not null default now());
  create index naive_outbox_due on naive_outbox (due) where state = 'ready';
  create table one_row (id bigint generated always as identity primary key, body text not null);`;

const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`;

const INSERT_ACTIVITY = 'insert into naive_activity (conversation_id, seq, direction, body) values ($1, $2, $3, $4)';
const INSERT_OUTBOX = 'insert into naive_outbox (conversation_id, seq, body) values ($1, $2, $3)';

export async function beginNaive(pool: pg.Pool, conversationId: string): Promise<void> {
  await pool.query('insert into naive_conversation (id) values ($1)', [conversationId]);
}

/** Runs one turn and gives the message's place in the conversation. */
export async function naiveTurn(
  pool: pg.Pool,
  redis: Redis,
  conversationId: string,
  activity: { readonly text?: unknown },
): Promise<number> {
  const lock = `naive:lock:${conversationId}`;
  const token = randomUUID();
  while ((await redis.set(lock, token, 'PX', 15_000, 'NX')) === null)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const client = await pool.connect();
  let seq: number;
  try {
    await client.query('begin');
    seq = await write(client, conversationId, activity);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
  await Promise.all([
    redis.publish('naive:committed', JSON.stringify({ conversationId, seq })),
    redis.eval(UNLOCK, 1, lock, token),
  ]);
  return seq;
}

async function write(client: pg.PoolClient, id: string, activity: { readonly text?: unknown }): Promise<number> {
  const { rows } = await client.query<{ seq: string; state: { turns?: number } }>(
    'select seq, state from naive_conversation where id = $1 for update',
    [id],
  );
  const row = rows[0];
  if (!row) throw new Error('There is no such conversation.');
  const seq = Number(row.seq) + 1;
  const replies = [1, 2].map((n) => JSON.stringify({ type: 'message', text: `echo ${n}: ${activity.text}` }));
  await client.query(INSERT_ACTIVITY, [id, seq, 'in', JSON.stringify(activity)]);
  for (const [index, reply] of replies.entries())
    await client.query(INSERT_ACTIVITY, [id, seq + 1 + index, 'out', reply]);
  for (const [index, reply] of replies.entries()) await client.query(INSERT_OUTBOX, [id, seq + 1 + index, reply]);
  const state = JSON.stringify(benchState((row.state.turns ?? 0) + 1));
  await client.query('update naive_conversation set seq = $2, state = $3 where id = $1', [
    id,
    seq + replies.length,
    state,
  ]);
  return seq;
}
