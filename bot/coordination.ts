/** What several instances need of each other, with Redis or without: wake-ups, leases, shared counters. One instance needs none of it. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Lease, Wake } from '../adapters/channel.ts';
import { type Once, onceInMemory } from '../adapters/directline/handshake.ts';
import { type LimiterFactory, memoryLimiter } from '../adapters/directline/limits.ts';
import { RedisLeases } from '../adapters/redis/leases.ts';
import { LocalWake } from '../adapters/redis/local-wake.ts';
import { openRedis } from '../adapters/redis/redis.ts';
import { sharedLimiter, sharedOnce } from '../adapters/redis/shared.ts';
import { RedisWake } from '../adapters/redis/wake.ts';
import { beat, leave } from '../record/instances.ts';
import type { Database } from '../record/types.ts';
import type { Log } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Metrics } from './metrics.ts';

const BEAT_EVERY_MS = 10_000;
const PULSE_EVERY_MS = 1_000;

/** What the parts of one instance share with those of the others. */
export interface Coordination {
  readonly wake: Wake;
  /** Null when there is no Redis to lease by. */
  readonly lease: Lease | null;
  readonly limiter: LimiterFactory;
  readonly once: Once;
  /** Whether others may have committed without waking this instance: then it has to look for itself, now. */
  mustLook(): boolean;
  close(): Promise<void>;
}

/** What coordination works with. */
export interface CoordinationParts {
  readonly redisUrl: string | undefined;
  readonly database: Database;
  /** Names this process among the others. */
  readonly bootId: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

export async function coordinate({
  redisUrl,
  database,
  bootId,
  log,
  metrics,
}: CoordinationParts): Promise<Coordination> {
  const alive = await watchInstances(database, bootId, log, metrics);
  const close = async (): Promise<void> => {
    await alive.stop();
    await leave(database, bootId).catch(() => undefined);
  };
  const failed = (error: unknown): void =>
    log.error({ msg_code: 'wake_failed', err: error }, 'A listener failed on a wake-up.');
  if (redisUrl === undefined) {
    const wake = new LocalWake(failed);
    const once = onceInMemory();
    return {
      wake,
      lease: null,
      limiter: memoryLimiter,
      once,
      close,
      mustLook: alive.several,
    };
  }

  const changed = (up: boolean): void => {
    if (up) log.info({ msg_code: 'redis_up' }, 'Redis answers.');
    else
      log.warn(
        { msg_code: 'redis_down' },
        'Redis does not answer; everything goes on without it, slower between instances.',
      );
  };
  const link = openRedis(redisUrl, { changed }, () => performance.now());
  metrics.watch('lobby_redis_up', 'Whether Redis answers: 1 or 0.', () => (link.up ? 1 : 0));
  const wake = new RedisWake(link, bootId, () => performance.now(), failed);
  const pulse = setInterval(() => wake.pulse(), PULSE_EVERY_MS);
  const lease = new RedisLeases({
    link,
    token: bootId,
    needed: alive.several,
    now: () => performance.now(),
    pause: (ms) => pause(ms),
  });
  const ends = wake.subscribe(({ conversationId, elsewhere }) => {
    if (elsewhere) lease.giveUp(conversationId);
  });
  return {
    wake,
    lease,
    limiter: (name, limit) => sharedLimiter(link, name, limit),
    once: sharedOnce(link, onceInMemory()),
    mustLook: () => wake.mustLook() && alive.several(),
    async close() {
      ends();
      clearInterval(pulse);
      await lease.close();
      await close();
      link.close();
    },
  };
}

/** Beats at once and then every ten seconds. */
async function watchInstances(
  database: Database,
  bootId: string,
  log: Log,
  metrics: Metrics,
): Promise<Pick<Loop, 'stop'> & { several(): boolean }> {
  let alive = await beat(database, bootId);
  metrics.watch('lobby_instances', 'Instances alive on this database, this one included.', () => alive);
  const loop = startLoop({ pollMs: BEAT_EVERY_MS, log, name: 'instances' }, async () => {
    alive = await beat(database, bootId);
    return false;
  });
  return { stop: () => loop.stop(), several: () => alive > 1 };
}
