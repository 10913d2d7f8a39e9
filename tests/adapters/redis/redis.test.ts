/** Redis between instances: quick when it is there, never in the way when it is not. */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WakeHint } from '../../../adapters/channel.ts';
import { onceInMemory } from '../../../adapters/directline/handshake.ts';
import { RedisLeases } from '../../../adapters/redis/leases.ts';
import { openRedis, type RedisLink } from '../../../adapters/redis/redis.ts';
import { sharedLimiter, sharedOnce } from '../../../adapters/redis/shared.ts';
import { RedisWake } from '../../../adapters/redis/wake.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let links: RedisLink[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.flush());
afterEach(() => {
  for (const link of links) link.close();
  links = [];
});

async function link(): Promise<RedisLink> {
  const opened = openRedis(redis.url, { changed: () => undefined }, () => performance.now());
  links.push(opened);
  await until(() => opened.up && opened.listening.status === 'ready');
  return opened;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 8_000; waited += 20) {
    if (await holds()) return;
    await pause(20);
  }
  throw new Error('It did not come to pass within eight seconds.');
}

const hintOf = (seq: number): WakeHint => ({ conversationId: 'A'.repeat(22), seq });

describe('wake-ups', () => {
  it('reach the other instances, marked as from elsewhere, and our own listeners once and with the rows', async () => {
    const [here, there] = [
      new RedisWake(
        await link(),
        'here',
        () => performance.now(),
        () => undefined,
      ),
      new RedisWake(
        await link(),
        'there',
        () => performance.now(),
        () => undefined,
      ),
    ];
    const heard: Record<string, WakeHint[]> = { here: [], there: [] };
    here.subscribe((hint) => heard.here?.push(hint));
    there.subscribe((hint) => heard.there?.push(hint));
    await until(async () => (await links[0]?.commands.pubsub('NUMSUB', 'lobby:wake'))?.[1] === 2);
    here.publish({ ...hintOf(2), activities: [] });
    await until(() => heard.there?.length === 1);
    expect(heard.there).toEqual([{ ...hintOf(2), elsewhere: true }]);
    expect(heard.here).toEqual([{ ...hintOf(2), activities: [] }]);
  });

  it('are heard again after Redis came back', async () => {
    const [here, there] = [
      new RedisWake(
        await link(),
        'here',
        () => performance.now(),
        () => undefined,
      ),
      new RedisWake(
        await link(),
        'there',
        () => performance.now(),
        () => undefined,
      ),
    ];
    const heard: number[] = [];
    there.subscribe(({ seq }) => heard.push(seq));
    await redis.kill();
    here.publish(hintOf(1));
    await redis.restart();
    await until(async () => {
      here.publish(hintOf(2));
      await pause(50);
      return heard.includes(2);
    });
    expect(heard).not.toContain(1);
  });

  it('know when they would pass us by', async () => {
    const wake = new RedisWake(
      await link(),
      'here',
      () => performance.now(),
      () => undefined,
    );
    expect(wake.deaf).toBe(true);
    await until(() => {
      wake.pulse();
      return !wake.deaf;
    });
    redis.freeze();
    try {
      await until(() => {
        wake.pulse();
        return wake.deaf;
      });
    } finally {
      redis.thaw();
    }
    await until(() => {
      wake.pulse();
      return !wake.deaf;
    });
  });

  it('that are not ours are ignored', async () => {
    const { commands } = await link();
    const wake = new RedisWake(
      await link(),
      'here',
      () => performance.now(),
      () => undefined,
    );
    const heard: WakeHint[] = [];
    wake.subscribe((hint) => heard.push(hint));
    await until(async () => (await commands.pubsub('NUMSUB', 'lobby:wake'))[1] === 1);
    for (const noise of ['', '{', '[]', '{"from":1}', '{"from":"x","conversationId":"y","seq":"1"}']) {
      await commands.publish('lobby:wake', noise);
    }
    await commands.publish('lobby:wake', JSON.stringify({ from: 'there', ...hintOf(7) }));
    await until(() => heard.length > 0);
    expect(heard.map(({ seq }) => seq)).toEqual([7]);
  });
});

describe('leases', () => {
  const leases = async (token: string, needed = true): Promise<RedisLeases> =>
    new RedisLeases({ link: await link(), token, needed: () => needed, now: () => performance.now(), pause });
  const holder = (): Promise<string | null> | undefined => links[0]?.commands.get('lobby:lease:c');

  it('are held by one instance over many turns and given up to the other when it has worked', async () => {
    const [one, two] = [await leases('one'), await leases('two')];
    await one.take('c');
    await two.take('c');
    expect(await holder()).toBe('one');
    one.giveUp('c');
    await until(async () => (await holder()) === null);
    await two.take('c');
    expect(await holder()).toBe('two');
    one.giveUp('c');
    await pause(30);
    expect(await holder()).toBe('two');
  });

  it('keep nobody waiting longer than a moment', async () => {
    const [one, two] = [await leases('one'), await leases('two')];
    await one.take('c');
    const started = performance.now();
    await two.take('c');
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('cost nothing while one instance is alone', async () => {
    const alone = await leases('one', false);
    await alone.take('c');
    expect(await holder()).toBeNull();
  });

  it('are all given back at the end', async () => {
    const one = await leases('one');
    await one.take('c');
    await one.close();
    expect(await holder()).toBeNull();
  });
});

describe('shared counters', () => {
  it('count over all instances', async () => {
    const limit = { points: 3, seconds: 60 };
    const [one, two] = [sharedLimiter(await link(), 'posts', limit), sharedLimiter(await link(), 'posts', limit)];
    await one.consume('k');
    await two.consume('k');
    await one.consume('k');
    await expect(two.consume('k')).rejects.toMatchObject({ msBeforeNext: expect.any(Number) });
  });

  it('let a ticket be used once, on whichever instance', async () => {
    const [one, two] = [sharedOnce(await link(), onceInMemory()), sharedOnce(await link(), onceInMemory())];
    expect([await one('n', 60), await two('n', 60), await one('n', 60)]).toEqual([true, false, false]);
  });
});

describe('a frozen Redis', () => {
  it('slows one command down, is then left alone, and is used again when it thaws', async () => {
    const opened = await link();
    const once = sharedOnce(opened, onceInMemory());
    const limiter = sharedLimiter(opened, 'frozen', { points: 1_000, seconds: 60 });
    redis.freeze();
    try {
      const started = performance.now();
      expect(await once('a', 60)).toBe(true);
      await limiter.consume('k');
      for (let n = 0; n < 50; n += 1) expect(await once(`b${n}`, 60)).toBe(true);
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(opened.up).toBe(false);
    } finally {
      redis.thaw();
    }
    await until(async () => (await opened.try((commands) => commands.ping())) === 'PONG');
  });
});
