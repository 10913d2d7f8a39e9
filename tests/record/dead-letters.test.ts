/** Messages that did not arrive: an administrator sees them, and each word of theirs is taken once and by name. */

import { randomBytes } from 'node:crypto';
import { v4 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PostgresDatabase } from '../../adapters/postgres/database.ts';
import { listDeadLetters, treatDeadLetters, UNDELIVERED } from '../../record/dead-letters.ts';
import { leaseMessages, MOST_TRIES, settleMessage } from '../../record/outbox.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';

let scratch: ScratchDatabase;
/** As the service's own role: an administrator needs no more. */
let app: PostgresDatabase;

beforeAll(async () => {
  scratch = await scratchDatabase();
  app = await scratch.open({ role: 'lobby_app' });
});
afterAll(() => scratch.drop());
beforeEach(() => scratch.database.query('delete from outbox_action; delete from outbox; delete from conversation'));

async function conversation(): Promise<string> {
  const id = randomBytes(17).toString('base64url').slice(0, 22);
  await scratch.database.query(`insert into conversation (id, channel, thread_key) values ($1, 'azure', $1)`, [id]);
  return id;
}

async function message(conversationId: string, seq: number, state: string, tries = 3): Promise<string> {
  const id = newId();
  await scratch.database.query(
    `insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class, state, tries, errcode, attempt_started, done_at)
     values ($1, $2, $3, $3, 'azure', 'sealed', 'once', $4, $5, 'send_refused', now(), now())`,
    [id, conversationId, seq, state, tries],
  );
  return id;
}

const treat = (action: 'resend' | 'cancel', ids: readonly string[], by = 'lin', database = app) =>
  treatDeadLetters(database, { action, ids, by });

const stateOf = async (id: string): Promise<unknown> =>
  (await scratch.database.query<{ state: string }>('select state from outbox where id = $1', [id]))[0]?.state;

const lease = (limit = 10) => leaseMessages(scratch.database, { limit, leaseMs: 30_000, leaseToken: newId() });

describe('the list', () => {
  it('has what no sender will move, oldest first, and not what is on its way or gone', async () => {
    const talk = await conversation();
    const states = ['failed', 'ready', 'unknown', 'leased', 'held', 'done', 'cancelled', 'expired'];
    const ids: string[] = [];
    for (const [place, state] of states.entries()) ids.push(await message(talk, place + 1, state));
    const { letters, total } = await listDeadLetters(app, { states: UNDELIVERED, limit: 10 });
    expect(letters.map(({ id }) => id)).toEqual([ids[0], ids[2], ids[4]]);
    expect(total).toBe(3);
    const { letters: held } = await listDeadLetters(app, { states: ['held'], limit: 10 });
    expect(held.map(({ state }) => state)).toEqual(['held']);
  });

  it('tells of each message everything but its words and whose it is', async () => {
    const talk = await conversation();
    const id = await message(talk, 5, 'failed');
    const { letters } = await listDeadLetters(app, { states: UNDELIVERED, limit: 10 });
    expect(letters).toEqual([
      {
        id,
        channel: 'azure',
        class: 'once',
        state: 'failed',
        tries: 3,
        errcode: 'send_refused',
        conversation: talk.slice(0, 8),
        seqFrom: 5,
        seqTo: 5,
        createdAt: expect.any(String),
        triedAt: expect.any(String),
        lastAction: null,
        lastActionBy: null,
        lastActionAt: null,
      },
    ]);
    expect(JSON.stringify(letters)).not.toContain(talk);
  });

  it('counts what it does not show', async () => {
    const talk = await conversation();
    for (let seq = 1; seq <= 5; seq += 1) await message(talk, seq, 'failed');
    const { letters, total } = await listDeadLetters(app, { states: UNDELIVERED, limit: 2 });
    expect([letters.length, total]).toEqual([2, 5]);
  });
});

describe('sending again', () => {
  it.each(['failed', 'unknown', 'expired', 'cancelled'])(
    'takes up what is %s, now and with all its tries',
    async (state) => {
      const id = await message(await conversation(), 1, state, MOST_TRIES);
      expect(await treat('resend', [id])).toEqual([{ id, outcome: 'done' }]);
      const [leased] = await lease();
      expect(leased).toMatchObject({ id, tries: 1 });
      const again = { result: 'retry', code: 'send_retry', afterMs: 0 } as const;
      expect(leased && (await settleMessage(scratch.database, leased, again))).toBe(true);
      expect(await stateOf(id)).toBe('ready');
    },
  );

  it.each(['ready', 'leased', 'held', 'done'])('leaves what is %s', async (state) => {
    const id = await message(await conversation(), 1, state);
    expect(await treat('resend', [id])).toEqual([{ id, outcome: 'refused', state }]);
    expect(await stateOf(id)).toBe(state);
  });

  it('goes ahead of what the conversation still waits to send, one after another', async () => {
    const talk = await conversation();
    const later = await message(talk, 3, 'ready');
    const [first, second] = [await message(talk, 1, 'failed'), await message(talk, 2, 'unknown')];
    await treat('resend', [second, first]);
    for (const id of [first, second, later]) {
      const leased = await lease();
      expect(leased.map((each) => each.id)).toEqual([id]);
      for (const each of leased) await settleMessage(scratch.database, each, { result: 'sent', wireId: null });
    }
  });

  it('is taken from one of two administrators who say it at once', async () => {
    const talk = await conversation();
    const ids: string[] = [];
    for (let seq = 1; seq <= 20; seq += 1) ids.push(await message(talk, seq, 'failed'));
    const other = await scratch.open({ role: 'lobby_app' });
    const both = await Promise.all([treat('resend', ids, 'lin'), treat('resend', [...ids].reverse(), 'wei', other)]);
    for (const id of ids) {
      const outcomes = both.map((treated) => treated.find((each) => each.id === id)?.outcome).sort();
      expect(outcomes).toEqual(['done', 'refused']);
    }
    const written = await scratch.database.query('select outbox_id from outbox_action');
    expect(written).toHaveLength(20);
  });

  it('is written down: who, when, and how it stood until then', async () => {
    const id = await message(await conversation(), 1, 'unknown', 8);
    await treat('resend', [id], 'lin');
    const rows = await scratch.database.query('select action, by, state, tries, errcode, at from outbox_action');
    expect(rows).toEqual([
      { action: 'resend', by: 'lin', state: 'unknown', tries: 8, errcode: 'send_refused', at: expect.any(String) },
    ]);
    await scratch.database.query(`update outbox set state = 'failed'`);
    const { letters } = await listDeadLetters(app, { states: UNDELIVERED, limit: 1 });
    expect(letters[0]).toMatchObject({ lastAction: 'resend', lastActionBy: 'lin' });
    await expect(app.query(`update outbox_action set by = 'somebody else'`)).rejects.toMatchObject({ code: '42501' });
  });

  it('is refused where the conversation was erased, or the message was never there', async () => {
    const talk = await conversation();
    const id = await message(talk, 1, 'failed');
    await scratch.database.query('update conversation set erased_at = now() where id = $1', [talk]);
    const absent = newId();
    expect(await treat('resend', [id, absent])).toEqual([
      { id, outcome: 'erased' },
      { id: absent, outcome: 'absent' },
    ]);
    expect(await stateOf(id)).toBe('failed');
  });
});

describe('giving up', () => {
  it.each(['ready', 'held', 'failed', 'unknown', 'expired'])(
    'ends what is %s, and the next message is no longer behind it',
    async (state) => {
      const talk = await conversation();
      const id = await message(talk, 1, state);
      const next = await message(talk, 2, 'ready');
      expect(await treat('cancel', [id])).toEqual([{ id, outcome: 'done' }]);
      expect(await stateOf(id)).toBe('cancelled');
      expect((await lease()).map((each) => each.id)).toEqual([next]);
    },
  );

  it.each(['leased', 'done', 'cancelled'])('leaves what is %s', async (state) => {
    const id = await message(await conversation(), 1, state);
    expect(await treat('cancel', [id])).toEqual([{ id, outcome: 'refused', state }]);
    expect(await stateOf(id)).toBe(state);
  });
});
