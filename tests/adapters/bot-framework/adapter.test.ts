/** Bot Framework channels, with a service of our own in the place of Azure's: it takes replies over HTTP as the real one does. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActivityTypes } from 'botbuilder';
import { v4, v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BotFramework, createBotFramework } from '../../../adapters/bot-framework/adapter.ts';
import { LocalWake } from '../../../adapters/redis/local-wake.ts';
import { deliverOnce } from '../../../bot/delivery.ts';
import { createMetrics } from '../../../bot/metrics.ts';
import { type BotRunner, Turns } from '../../../bot/turn.ts';
import { within } from '../../../bot/within.ts';
import { createTurnRecord } from '../../../record/conversations.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

interface Posted {
  readonly path: string;
  readonly body: {
    readonly text?: string;
    readonly replyToId?: string;
    readonly conversation?: { readonly id: string };
  };
}

let scratch: ScratchDatabase;
let outside: Server;
let serviceUrl: string;
let posted: Posted[] = [];
/** Requests that came, whatever became of them. */
let asked = 0;
/** A status, or no answer at all: the connection is cut. */
let answer: number | 'cut' = 200;
let botFramework: BotFramework;

const echo: BotRunner = {
  run: (activity, { state }) =>
    Promise.resolve({
      replies: ['first', 'second'].map((word) => ({ type: ActivityTypes.Message, text: `${word}: ${activity.text}` })),
      state: { turns: Number(state.turns ?? 0) + 1 },
      effects: [],
    }),
  apologise: () => ({ replies: [], state: null, effects: [] }),
};

beforeAll(async () => {
  scratch = await scratchDatabase();
  outside = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked += 1;
      if (answer === 'cut') {
        request.socket.resetAndDestroy();
        return;
      }
      if (answer === 200)
        posted.push({ path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) as Posted['body'] });
      response
        .writeHead(answer, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: `wire-${posted.length}` }));
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  serviceUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
});

afterAll(async () => {
  outside.close();
  await scratch.drop();
});

beforeEach(async () => {
  posted = [];
  asked = 0;
  answer = 200;
  await scratch.database.query('delete from outbox');
  const gate = new Turns({
    record: createTurnRecord(scratch.database, 'Asia/Shanghai'),
    bot: echo,
    masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_, text) => ({ text, erased: [] }) },
    wake: new LocalWake(() => undefined),
    log: silentLog,
    metrics: createMetrics(),
    newId: v7,
    within,
  });
  const hash = (channel: string, id: string): string =>
    Buffer.from(`${channel}${id}`).toString('base64url').slice(-22).padStart(22, 'A');
  const seal = (text: string): string => Buffer.from(text).toString('base64');
  const open = (sealed: string): string => Buffer.from(sealed, 'base64').toString();
  botFramework = createBotFramework({ credentials: null, gate, threadIndex: hash, seal, open, newId: v4 });
});

const message = (text: string, more: object = {}): object => ({
  type: 'message',
  id: v4(),
  text,
  channelId: 'emulator',
  serviceUrl,
  from: { id: 'user-1', name: 'U' },
  recipient: { id: 'bot-1', name: 'B' },
  conversation: { id: v4() },
  ...more,
});

const senderParts = (): Parameters<typeof deliverOnce>[0] => ({
  database: scratch.database,
  senders: [botFramework.sender],
  newId: v4,
  random: () => 0,
  log: silentLog,
  metrics: createMetrics(),
  pollMs: 10,
});

const deliverAll = async (): Promise<void> => {
  const parts = senderParts();
  while (await deliverOnce(parts));
};

const rows = (): Promise<{ state: string; wire_id: string | null; errcode: string | null }[]> =>
  scratch.database.query('select state, wire_id, errcode from outbox order by seq_from');

describe('a Bot Framework channel', () => {
  it('gets the replies in order through its own service address, after the message is acknowledged', async () => {
    const activity = message('hello');
    await botFramework.take('', activity);
    expect(posted).toEqual([]);
    await deliverAll();
    expect(posted.map(({ body }) => body.text)).toEqual(['first: hello', 'second: hello']);
    const { id, conversation } = activity as { id: string; conversation: { id: string } };
    expect(posted[0]?.body.replyToId).toBe(id);
    expect(posted[0]?.body.conversation?.id).toBe(conversation.id);
    expect((await rows()).map(({ state, wire_id }) => [state, wire_id])).toEqual([
      ['done', 'wire-1'],
      ['done', 'wire-2'],
    ]);
  });

  it('gets the replies in the response when it expects them there, and the same ones when it asks again', async () => {
    const activity = message('now', { deliveryMode: 'expectReplies' });
    const first = await botFramework.take('', activity);
    const again = await botFramework.take('', activity);
    const texts = (response: typeof first): unknown =>
      (response as { body: { activities: { text: string }[] } }).body.activities.map(({ text }) => text);
    expect(texts(first)).toEqual(['first: now', 'second: now']);
    expect(texts(again)).toEqual(['first: now', 'second: now']);
    expect(await rows()).toEqual([]);
  });

  it('runs a message that is delivered twice once', async () => {
    const activity = message('once');
    await Promise.all([botFramework.take('', activity), botFramework.take('', activity)]);
    await deliverAll();
    expect(posted).toHaveLength(2);
  });

  it('keeps its replies while the channel does not take them, and gives up those it refuses', async () => {
    answer = 503;
    await botFramework.take('', message('later'));
    await deliverAll();
    expect((await rows()).map(({ state }) => state)).toEqual(['ready', 'ready']);
    answer = 403;
    await scratch.database.query('update outbox set due = now()');
    await deliverAll();
    expect((await rows()).map(({ state, errcode }) => [state, errcode])).toEqual([
      ['failed', 'send_refused'],
      ['failed', 'send_refused'],
    ]);
  });

  it.each([
    ['fails', 500 as const],
    ['is cut', 'cut' as const],
  ])('is asked once in one attempt that %s, and by the outbox again', async (_, failure) => {
    answer = failure;
    await botFramework.take('', message('maybe'));
    await deliverOnce(senderParts());
    expect(asked).toBe(1);
    expect((await rows()).map(({ errcode }) => errcode)).toEqual(['send_unknown', null]);
    answer = 200;
    await scratch.database.query('update outbox set due = now()');
    await deliverAll();
    expect(posted.map(({ body }) => body.text)).toEqual(['first: maybe', 'second: maybe']);
  });

  it('takes typing without a turn', async () => {
    await botFramework.take('', message('', { type: 'typing' }));
    await deliverAll();
    expect(posted).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['no type', message('x', { type: undefined })],
    ['a foreign scheme', message('x', { serviceUrl: 'file:///etc/passwd' })],
    ['a long text', message('x'.repeat(4_001))],
    ['no conversation', message('x', { conversation: {} })],
  ])('refuses %s with a sentence', async (_, body) => {
    await expect(botFramework.take('', body)).rejects.toMatchObject({ code: 'bad_activity' });
  });
});
