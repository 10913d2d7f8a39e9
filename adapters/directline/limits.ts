/** How often a visitor may knock: rate limits of the web channel. */

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { comeBackLater, type HttpError } from '../http.ts';

/** At most `points` in `seconds`. */
export interface Limit {
  readonly points: number;
  readonly seconds: number;
}

/** What is limited, and by what it is counted. */
export interface DirectLineLimits {
  readonly tokensPerAddress: Limit;
  readonly startsPerAddress: Limit;
  readonly postsPerConversation: Limit;
  readonly postsPerUser: Limit;
  readonly uploadsPerConversation: Limit;
  readonly pollsPerConversation: Limit;
}

/** What holds unless the bank says otherwise. A polling client asks five times a second at most. */
export const DEFAULT_LIMITS: DirectLineLimits = {
  tokensPerAddress: { points: 60, seconds: 60 },
  startsPerAddress: { points: 60, seconds: 60 },
  postsPerConversation: { points: 60, seconds: 60 },
  postsPerUser: { points: 120, seconds: 60 },
  uploadsPerConversation: { points: 10, seconds: 60 },
  pollsPerConversation: { points: 100, seconds: 10 },
};

/** Counts one kind of request. `consume` rejects with a `RateLimiterRes` when there were too many. */
export interface Limiter {
  consume(key: string): Promise<unknown>;
}

/** Makes the counter of one limit: in memory for one instance, shared for several. */
export type LimiterFactory = (name: string, limit: Limit) => Limiter;

export const memoryLimiter: LimiterFactory = (name, { points, seconds }) =>
  new RateLimiterMemory({ keyPrefix: name, points, duration: seconds });

/** One limiter for each limit. */
export type Limiters = Readonly<Record<keyof DirectLineLimits, Limiter>>;

export function createLimiters(limits: DirectLineLimits, factory: LimiterFactory): Limiters {
  const entries = Object.entries(limits).map(([name, limit]) => [name, factory(name, limit)]);
  return Object.fromEntries(entries) as Limiters;
}

/** Counts one request; refuses it with 429 when it was one too many. */
export async function count(limiter: Limiter, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) throw tooMany(refusal.msBeforeNext / 1000);
    throw refusal;
  }
}

function tooMany(seconds: number): HttpError {
  const wait = Math.max(1, Math.ceil(seconds));
  return comeBackLater(429, 'too_many_requests', `Too many requests. Try again in ${wait} s.`, wait);
}
