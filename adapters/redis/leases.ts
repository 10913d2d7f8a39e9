/** Conversation leases: which of several instances works on a conversation, so that two do not do the same work. Only ever a saving. */

import type { Lease } from '../channel.ts';
import type { RedisLink } from './redis.ts';

const LIFE_MS = 15_000;
/** A lease of ours is used without asking Redis until so shortly before its end. */
const MARGIN_MS = 5_000;
/** How long we wait for another instance to finish before we go on without the lease. */
const PATIENCE_MS = 50;
const ASK_AGAIN_MS = 10;
const MOST = 20_000;

/** Deletes the lease only if it is still ours. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`;
/** Takes the lease if it is free, or prolongs it if it is ours. */
const TAKE = `local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const keyOf = (conversationId: string): string => `lobby:lease:${conversationId}`;

/** Leases by Redis, kept over many turns. Correctness never rests on them: the version of the conversation does. */
export class RedisLeases implements Lease {
  readonly #link: RedisLink;
  readonly #token: string;
  readonly #needed: () => boolean;
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<void>;
  /** Until when we hold a conversation's lease. */
  readonly #held = new Map<string, number>();

  constructor(parts: {
    readonly link: RedisLink;
    /** Names this instance. */
    readonly token: string;
    /** Whether more than one instance is alive. */
    readonly needed: () => boolean;
    readonly now: () => number;
    readonly pause: (ms: number) => Promise<void>;
  }) {
    this.#link = parts.link;
    this.#token = parts.token;
    this.#needed = parts.needed;
    this.#now = parts.now;
    this.#pause = parts.pause;
  }

  async take(conversationId: string): Promise<void> {
    if (!this.#needed() || !this.#link.up) return;
    if ((this.#held.get(conversationId) ?? 0) > this.#now()) return;
    for (let waited = 0; waited <= PATIENCE_MS; waited += ASK_AGAIN_MS) {
      const taken = await this.#link.try((redis) => redis.eval(TAKE, 1, keyOf(conversationId), this.#token, LIFE_MS));
      if (taken === 1) this.#remember(conversationId);
      if (taken !== 0) return;
      await this.#pause(ASK_AGAIN_MS);
    }
  }

  /** Another instance works on this conversation now: it gets the lease at the end of our turn rather than at its end of life. */
  giveUp(conversationId: string): void {
    if (!this.#held.delete(conversationId)) return;
    void this.#link.try((redis) => redis.eval(RELEASE, 1, keyOf(conversationId), this.#token));
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#held.keys()].map((id) => this.#link.try((redis) => redis.eval(RELEASE, 1, keyOf(id), this.#token))),
    );
    this.#held.clear();
  }

  #remember(conversationId: string): void {
    this.#held.delete(conversationId);
    this.#held.set(conversationId, this.#now() + LIFE_MS - MARGIN_MS);
    const oldest = this.#held.size > MOST ? this.#held.keys().next() : null;
    if (oldest && !oldest.done) this.#held.delete(oldest.value);
  }
}
