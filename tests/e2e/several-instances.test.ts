/** Two instances of the whole service on one database: what one commits the customers of the other see, with Redis and without. */

import { setTimeout as pause } from 'node:timers/promises';
import { v4 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { call, type OpenStream, openStream, postJson } from '../support/web-channel.ts';

let scratch: ScratchDatabase;
let redis: TestRedis;
let apps: TestApp[];

beforeAll(async () => {
  [scratch, redis] = await Promise.all([scratchDatabase(), startRedis()]);
  const env = { DATABASE_URL: scratch.connectionString, REDIS_URL: redis.url };
  apps = [await startTestApp(env, { scratch }), await startTestApp(env, { scratch })];
  // The first one learns of the second with its next heartbeat.
  await pause(10_500);
});

afterAll(async () => {
  for (const app of apps) await app.close();
  await Promise.all([scratch.drop(), redis.close()]);
});

const at = (instance: number, path: string): string => new URL(path, apps[instance]?.base).href;

interface Talk {
  readonly stream: OpenStream;
  say(text: string, instance: number, key?: string): Promise<number>;
}

/** A customer whose socket is on the first instance and whose messages go to any. */
async function beginTalk(): Promise<Talk> {
  const { body: issued } = await postJson(at(0, '/api/chat/token'), null, {});
  const { body: begun } = await postJson(at(0, '/v3/directline/conversations'), issued.token, {});
  const stream = await openStream(begun.streamUrl);
  const say: Talk['say'] = async (text, instance, key = uuid()) => {
    const address = at(instance, `/v3/directline/conversations/${issued.conversationId}/activities`);
    const message = { type: 'message', text, channelData: { idempotencyKey: key } };
    const { status } = await postJson(address, issued.token, message);
    return status;
  };
  return { stream, say };
}

async function seen(stream: OpenStream, text: string, withinMs: number): Promise<number> {
  const started = performance.now();
  while (!stream.texts().includes(text)) {
    if (performance.now() - started > withinMs) throw new Error(`"${text}" was not seen within ${withinMs} ms`);
    await pause(10);
  }
  return performance.now() - started;
}

const watermarks = (stream: OpenStream): number[] => stream.frames.map(({ watermark }) => Number(watermark));

/** In order, nothing twice. */
function expectOneOrder(stream: OpenStream): void {
  const numbers = watermarks(stream);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
}

describe('two instances', () => {
  it('know of each other', async () => {
    const { body } = await call(at(0, '/metrics'), null);
    expect(body).toMatch(/^lobby_instances 2$/m);
    expect(body).toMatch(/^lobby_redis_up 1$/m);
  });

  it('show a customer of one what the other commits, at once', async () => {
    const { stream, say } = await beginTalk();
    expect(await say('你好', 1)).toBe(200);
    await seen(stream, '你好', 1_000);
    for (let n = 0; n < 10; n += 1) expect(await say(`跨行转账多久到账 ${n}`, n % 2)).toBe(200);
    await seen(stream, '跨行转账多久到账 9', 2_000);
    expectOneOrder(stream);
  });

  it('run a message that reaches both of them once', async () => {
    const { stream, say } = await beginTalk();
    const key = uuid();
    expect(
      await Promise.all([say('hello there', 0, key), say('hello there', 1, key), say('hello there', 1, key)]),
    ).toEqual([200, 200, 200]);
    await say('the end', 0);
    await seen(stream, 'the end', 2_000);
    const ids = stream
      .activities()
      .filter(({ text }) => text === 'hello there')
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
  });

  it.each<[string, () => unknown, () => unknown]>([
    ['frozen', () => redis.freeze(), () => redis.thaw()],
    ['killed', () => redis.kill(), () => redis.restart()],
    ['flushed', () => redis.flush(), () => undefined],
  ])('lose nothing and go on while Redis is %s', async (_, trouble, relief) => {
    const { stream, say } = await beginTalk();
    await say('before', 1);
    await trouble();
    try {
      for (let n = 0; n < 6; n += 1) expect(await say(`during ${n}`, n % 2)).toBe(200);
      await seen(stream, 'during 5', 10_000);
    } finally {
      await relief();
    }
    await say('after', 1);
    await seen(stream, 'after', 10_000);
    expectOneOrder(stream);
  });
});
