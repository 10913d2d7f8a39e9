/** What customers of all channels have in common: they send one message after the other, each until it is taken. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Conversation, Sent } from './evidence.ts';
import type { Answer } from './http.ts';
import type { Random } from './random.ts';

/** What customers are given to live by. */
export interface CustomerParts {
  readonly name: string;
  /** The instances' addresses, as customers reach them. */
  readonly doors: readonly string[];
  readonly random: Random;
  readonly phrases: readonly string[];
  /** Between one message taken and the next, on average. */
  readonly thinkMs: number;
  /** After so many messages they begin a new conversation. */
  readonly messages: number;
  /** Aborted when no new message may be begun. */
  readonly closing: AbortSignal;
  /** Aborted when nothing may be tried any longer. */
  readonly over: AbortSignal;
}

/** How long a customer waits for an answer before they try another door. */
export const PATIENCE_MS = 10_000;
/** A customer does not wait longer than this because they were told to. */
const LONGEST_WAIT_MS = 2_000;

export abstract class Customer {
  /** Ended conversations and the one under way. */
  abstract readonly conversations: readonly Conversation[];
  protected readonly parts: CustomerParts;

  constructor(parts: CustomerParts) {
    this.parts = parts;
  }

  /** Resolves when every message begun has been taken, after `closing`, or at last when all is over. */
  abstract live(): Promise<void>;

  protected get door(): string {
    return this.parts.random.pick(this.parts.doors);
  }

  /** Pauses; sooner over when the run is. */
  protected async rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.parts.over }).catch(() => undefined);
  }

  /**
   * Sends one message under one key until it is taken. Sometimes by two doors at once, as an impatient finger does, and
   * sometimes again although it was taken, as a page does that has lost the answer.
   */
  protected async say(
    message: Sent,
    attempt: (door: string, count: number) => Promise<Answer>,
    seqIn: (answer: Answer) => number | null,
  ): Promise<void> {
    const { random, over } = this.parts;
    const once = async (door: string): Promise<number> => {
      message.attempts.count += 1;
      const answer = await attempt(door, message.attempts.count).catch(() => null);
      if (answer === null) return random.between(50, 400);
      if (answer.status !== 200) return this.#refused(message, answer);
      message.acknowledged = true;
      const seq = seqIn(answer);
      if (seq !== null) message.seqs.push(seq);
      return 0;
    };
    while (!message.acknowledged && !over.aborted) {
      const tries = random.chance(0.06) ? [once(this.door), once(this.door)] : [once(this.door)];
      const waits = await Promise.all(tries);
      if (!message.acknowledged) await this.rest(Math.max(...waits));
    }
    if (random.chance(0.06) && !over.aborted) await once(this.door);
  }

  #refused(message: Sent, { status, retryAfterMs, body }: Answer): number {
    if (status !== 429 && status !== 503) message.oddities.push(`${status} ${JSON.stringify(body)}`);
    return Math.min(LONGEST_WAIT_MS, Math.max(retryAfterMs, 300) * this.parts.random.between(0.5, 1));
  }
}
