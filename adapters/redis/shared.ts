/** Counters and marks that several instances share: rate limits and used tickets. Each falls back to this process's own. */

import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisLink } from './redis.ts';

/** A rate limiter over Redis; while Redis is away every instance counts for itself. */
export function sharedLimiter(
  link: RedisLink,
  name: string,
  limit: { readonly points: number; readonly seconds: number },
): RateLimiterAbstract {
  const { points, seconds: duration } = limit;
  const insuranceLimiter = new RateLimiterMemory({ keyPrefix: name, points, duration });
  return new RateLimiterRedis({
    storeClient: link.commands,
    keyPrefix: `lobby:rl:${name}`,
    points,
    duration,
    insuranceLimiter,
    // Without it a flushed or frozen Redis would be asked again and again.
    rejectIfRedisNotReady: true,
  });
}

/** Whether a nonce is seen for the first time, on any instance. Without Redis only this process's memory counts. */
export function sharedOnce(
  link: RedisLink,
  own: (nonce: string, seconds: number) => Promise<boolean>,
): (nonce: string, seconds: number) => Promise<boolean> {
  return async (nonce, seconds) => {
    if (!(await own(nonce, seconds))) return false;
    const set = await link.try((redis) => redis.set(`lobby:once:${nonce}`, '1', 'EX', seconds * 2, 'NX'));
    return set !== null;
  };
}
