/** How queued messages leave: in order, written down, resent only where a double is better than a loss. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { v4 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CodedError, type Sender } from '../../adapters/channel.ts';
import { type DeliveryParts, deliverOnce, startDelivery } from '../../bot/delivery.ts';
import { createMetrics } from '../../bot/metrics.ts';
import { beginThread, commitTurn } from '../../record/conversations.ts';
import { leaseMessages } from '../../record/outbox.ts';
import type { MessageClass } from '../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

let scratch: ScratchDatabase;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
beforeEach(() => scratch.database.query('delete from outbox'));

async function queue(replies: readonly string[], messageClass: MessageClass = 'must'): Promise<string> {
  const conversationId = randomBytes(17).toString('base64url').slice(0, 22);
  const thread = { conversationId, channel: 'azure', threadKey: conversationId };
  await beginThread(scratch.database, { ...thread, account: 'test', externalId: conversationId });
  const result = await commitTurn(
    scratch.database,
    {
      conversationId,
      seen: 0,
      epoch: 0,
      key: `az:${conversationId}`,
      cause: { direction: 'in', speaker: 'customer', body: { type: 'message', text: 'hi' } },
      replies: replies.map((text) => ({ speaker: 'bot', body: { type: 'message', text } })),
      state: null,
      effects: [],
      outbox: { channel: 'azure', route: 'there', class: messageClass },
      timersSet: [],
    },
    'Asia/Shanghai',
  );
  expect(result.outcome).toBe('ok');
  return conversationId;
}

const states = async (): Promise<unknown[]> =>
  (await scratch.database.query<{ state: string }>('select state from outbox order by conversation_id, seq_from')).map(
    ({ state }) => state,
  );

function delivering(send: Sender['send']): DeliveryParts {
  const senders: Sender[] = [{ channel: 'azure', send }];
  return {
    database: scratch.database,
    senders,
    newId,
    random: () => 0,
    log: silentLog,
    metrics: createMetrics(),
    pollMs: 50,
  };
}

const dueNow = (): Promise<unknown> =>
  scratch.database.query(`update outbox set due = now(), leased_until = now() - interval '1 second'`);

describe('delivery', () => {
  it('sends the messages of a conversation one after another, in order', async () => {
    await queue(['one', 'two', 'three']);
    const sent: unknown[] = [];
    const parts = delivering(({ activities }) => {
      sent.push(activities[0]?.body.text);
      return Promise.resolve({ wireId: `w${sent.length}` });
    });
    while (await deliverOnce(parts)) expect(sent.length).toBeLessThan(4);
    expect(sent).toEqual(['one', 'two', 'three']);
    expect(await states()).toEqual(['done', 'done', 'done']);
  });

  it('never leases the second before the first is settled, and no row twice', async () => {
    await queue(['one', 'two']);
    const lease = (): Promise<{ length: number }> =>
      leaseMessages(scratch.database, { limit: 10, leaseMs: 30_000, leaseToken: newId() }) as Promise<{
        length: number;
      }>;
    const taken = await Promise.all([lease(), lease(), lease()]);
    expect(taken.map(({ length }) => length).toSorted()).toEqual([0, 0, 1]);
  });

  it('holds the rest back while the first is tried again, later each time', async () => {
    await queue(['one', 'two']);
    let tries = 0;
    const parts = delivering(() => {
      tries += 1;
      return tries < 3 ? Promise.reject(new CodedError('send_retry', 'Not now.')) : Promise.resolve({ wireId: null });
    });
    await deliverOnce(parts);
    expect(await deliverOnce(parts)).toBe(false);
    expect(await states()).toEqual(['ready', 'ready']);
    for (let round = 0; round < 4; round += 1) {
      await dueNow();
      await deliverOnce(parts);
    }
    expect(await states()).toEqual(['done', 'done']);
    expect(tries).toBe(4);
  });

  it('gives up a message the channel refuses, and goes on with the next', async () => {
    await queue(['bad', 'good']);
    const parts = delivering(({ activities }) =>
      activities[0]?.body.text === 'bad'
        ? Promise.reject(new CodedError('send_refused', 'Never.'))
        : Promise.resolve({ wireId: null }),
    );
    while (await deliverOnce(parts));
    expect(await states()).toEqual(['failed', 'done']);
  });

  it('gives up after eight tries, visibly', async () => {
    await queue(['one']);
    const parts = delivering(() => Promise.reject(new CodedError('send_retry', 'Not now.')));
    for (let round = 0; round < 9; round += 1) {
      await deliverOnce(parts);
      await dueNow();
    }
    const [row] = await scratch.database.query('select state, tries, errcode from outbox');
    expect(row).toEqual({ state: 'failed', tries: 8, errcode: 'send_retry' });
  });

  it.each([
    ['must', 'ready'],
    ['once', 'unknown'],
    ['staff', 'unknown'],
  ] as const)('keeps an unknown outcome as the class says: %s → %s', async (messageClass, state) => {
    await queue(['one'], messageClass);
    await deliverOnce(delivering(() => Promise.reject(new Error('socket hang up'))));
    const [row] = await scratch.database.query('select state, outcome from outbox');
    expect(row).toEqual({ state, outcome: 'unknown' });
  });

  it.each([
    ['must', 'ready'],
    ['once', 'unknown'],
  ] as const)('treats the message of a sender that died as unknown: %s → %s', async (messageClass, state) => {
    await queue(['one'], messageClass);
    await leaseMessages(scratch.database, { limit: 1, leaseMs: 30_000, leaseToken: newId() });
    await dueNow();
    await leaseMessages(scratch.database, { limit: 0, leaseMs: 30_000, leaseToken: newId() });
    expect(await states()).toEqual([state]);
  });

  it('does not let a conversation wait for another one whose message hangs', async () => {
    await queue(['hangs']);
    await queue(['one', 'two', 'three']);
    const sent: unknown[] = [];
    let release: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const loop = startDelivery(
      delivering(async ({ activities }) => {
        const text = activities[0]?.body.text;
        if (text === 'hangs') await hanging;
        sent.push(text);
        return { wireId: null };
      }),
    );
    for (let waited = 0; sent.length < 3 && waited < 5_000; waited += 20) await pause(20);
    expect(sent).toEqual(['one', 'two', 'three']);
    release();
    await loop.stop();
    expect(sent).toContain('hangs');
    expect((await states()).every((state) => state === 'done')).toBe(true);
  });

  it('goes on with a message whose senders died more often than a channel may refuse it', async () => {
    await queue(['one']);
    await scratch.database.query(
      `update outbox set tries = 12, state = 'leased', leased_until = now() - interval '1 second'`,
    );
    await deliverOnce(delivering(() => Promise.resolve({ wireId: 'at last' })));
    expect(await states()).toEqual(['done']);
  });

  it('does not write down the outcome of a lease it has lost', async () => {
    await queue(['one']);
    const parts = delivering(async () => {
      await scratch.database.query('update outbox set lease_token = gen_random_uuid()');
      return { wireId: 'mine' };
    });
    await deliverOnce(parts);
    expect(await states()).toEqual(['leased']);
  });
});
