/** Timers that become turns: never lost, never fired twice, on any number of instances. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ActivityTypes } from 'botbuilder';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalWake } from '../../adapters/redis/local-wake.ts';
import { ringOnce } from '../../bot/jobs.ts';
import { createMetrics } from '../../bot/metrics.ts';
import { type BotRunner, Turns } from '../../bot/turn.ts';
import { Visits } from '../../bot/visits.ts';
import { within } from '../../bot/within.ts';
import { beginThread, createTurnRecord, readConversation } from '../../record/conversations.ts';
import type { Database } from '../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

const QUIET_MS = 900;
let scratch: ScratchDatabase;
let conversation: string;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
beforeEach(async () => {
  conversation = randomBytes(17).toString('base64url').slice(0, 22);
  const thread = { conversationId: conversation, channel: 'web', threadKey: conversation };
  await beginThread(scratch.database, { ...thread, account: 'lobby', externalId: conversation });
});

const bot: BotRunner = {
  run: ({ text }) =>
    Promise.resolve({
      replies: [{ type: ActivityTypes.Message, text: `re: ${text}` }],
      state: null,
      effects: text === 'human' ? [{ kind: 'handoff.request', ref: 'h', code: 'ASKED', priority: 3 }] : [],
    }),
  apologise: () => ({ replies: [], state: null, effects: [] }),
};

interface Instance {
  say(text: string): Promise<void>;
  ring(): Promise<boolean>;
}

function instance(speaking = bot, on: Database = scratch.database): Instance {
  const turns = new Turns({
    record: createTurnRecord(scratch.database, 'Asia/Shanghai'),
    bot: speaking,
    masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_, text) => ({ text, erased: [] }) },
    wake: new LocalWake(() => undefined),
    visits: new Visits(newId, () => performance.now(), QUIET_MS),
    log: silentLog,
    metrics: createMetrics(),
    newId,
    within,
  });
  return {
    async say(text) {
      const { status } = await turns.receive({
        channel: 'web',
        conversationId: conversation,
        key: `web:${conversation}:${newId()}`,
        activity: { type: ActivityTypes.Message, text },
        delivery: { by: 'stream' },
      });
      expect(status).toBe('done');
    },
    ring: () => ringOnce({ database: on, turns, log: silentLog, pollMs: 10, quietMs: QUIET_MS }),
  };
}

const rows = async (): Promise<unknown[]> =>
  (await readConversation(scratch.database, conversation)).map(({ body }) => body.text ?? body.name);
const timers = (): Promise<{ state: string }[]> =>
  scratch.database.query('select state from timer where conversation_id = $1 order by due', [conversation]);

describe('the end of a visit', () => {
  it('comes once nobody has spoken for a while, once, and nobody is told', async () => {
    const instances = [instance(), instance(), instance()];
    await instances[0]?.say('hello');
    for (const { ring } of instances) await ring();
    expect(await rows()).toEqual(['hello', 're: hello']);
    await pause(QUIET_MS + 50);
    await Promise.all(instances.map(({ ring }) => ring()));
    await Promise.all(instances.map(({ ring }) => ring()));
    expect(await rows()).toEqual(['hello', 're: hello', 'lobby/visit-ended']);
    expect(await timers()).toEqual([{ state: 'fired' }]);
  });

  it('is put off as long as somebody speaks', async () => {
    const { say, ring } = instance();
    await say('one');
    await pause(QUIET_MS - 300);
    await say('two');
    await pause(400);
    await ring();
    expect(await rows()).not.toContain('lobby/visit-ended');
    expect(await timers()).toEqual([{ state: 'waiting' }]);
    await pause(QUIET_MS);
    await ring();
    expect((await rows()).at(-1)).toBe('lobby/visit-ended');
  });

  it('is put off while the customer waits for a person', async () => {
    const { say, ring } = instance();
    await say('human');
    await pause(QUIET_MS + 50);
    await ring();
    expect(await rows()).not.toContain('lobby/visit-ended');
  });

  it('comes after a restart as if nothing had happened', async () => {
    await instance().say('hello');
    await pause(QUIET_MS + 50);
    await instance().ring();
    expect((await rows()).at(-1)).toBe('lobby/visit-ended');
  });

  it('is set by the run that is recorded, when an earlier one lost its race', async () => {
    let raced = false;
    const overtaken: BotRunner = {
      ...bot,
      async run(activity, state, erased) {
        if (!raced) await scratch.database.query('update conversation set ver = ver + 1 where id = $1', [conversation]);
        raced = true;
        return bot.run(activity, state, erased);
      },
    };
    await instance(overtaken).say('hello');
    expect(await timers()).toEqual([{ state: 'waiting' }]);
  });

  it('does not come when somebody speaks while it is rung', async () => {
    const other = instance();
    await other.say('hello');
    await pause(QUIET_MS + 50);
    const interrupted: Database = {
      transaction: (work) => scratch.database.transaction(work),
      async query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
        const found = await scratch.database.query<Row>(text, values, name);
        if (text.includes('judged') && values?.includes(conversation)) await other.say('wait');
        return found;
      },
    };
    await instance(bot, interrupted).ring();
    expect(await rows()).toEqual(['hello', 're: hello', 'wait', 're: wait']);
    expect(await timers()).toEqual([{ state: 'waiting' }]);
  });

  it('is set again with the next visit', async () => {
    const { say, ring } = instance();
    await say('hello');
    await pause(QUIET_MS + 50);
    await ring();
    await say('me again');
    await pause(QUIET_MS + 50);
    await ring();
    expect((await rows()).filter((row) => row === 'lobby/visit-ended')).toHaveLength(2);
  });
});

describe('ringing', () => {
  it('lets one instance at a time work on a timer, and another after it died', async () => {
    await instance().say('hello');
    await pause(QUIET_MS + 50);
    const dead = { fire: () => Promise.resolve() };
    const parts = { database: scratch.database, log: silentLog, pollMs: 10, quietMs: QUIET_MS };
    await ringOnce({ ...parts, turns: dead });
    const { ring } = instance();
    await ring();
    expect(await rows()).not.toContain('lobby/visit-ended');
    await scratch.database.query(`update timer set leased_until = now() - interval '1 second'`);
    await ring();
    expect((await rows()).at(-1)).toBe('lobby/visit-ended');
  });
});
