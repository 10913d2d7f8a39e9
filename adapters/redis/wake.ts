/** Wake-ups between instances: a customer's socket on one sees at once what another commits. A lost one only delays. */

import type { Wake, WakeHint } from '../channel.ts';
import { LocalWake } from './local-wake.ts';
import type { RedisLink } from './redis.ts';

const CHANNEL = 'lobby:wake';

/** What goes over the wire. Rows stay at home: whoever needs them reads the record. */
interface Message {
  readonly from: string;
  readonly conversationId: string;
  readonly seq: number;
}

/** Local listeners hear at once and with the rows; other instances hear by Redis, when it is there. */
export class RedisWake implements Wake {
  readonly #local: LocalWake;
  readonly #link: RedisLink;
  readonly #bootId: string;

  /** `bootId` tells our own messages from the others'. */
  constructor(link: RedisLink, bootId: string, onError: (error: unknown) => void) {
    this.#local = new LocalWake(onError);
    this.#link = link;
    this.#bootId = bootId;
    link.listening.on('message', (_channel: string, text: string) => this.#hear(text));
    // Asked for again by the client itself after every reconnect.
    link.listening.subscribe(CHANNEL).catch(() => undefined);
  }

  publish(hint: WakeHint): void {
    this.#local.publish(hint);
    const { conversationId, seq } = hint;
    const message: Message = { from: this.#bootId, conversationId, seq };
    void this.#link.try((redis) => redis.publish(CHANNEL, JSON.stringify(message)));
  }

  subscribe(listener: (hint: WakeHint) => void): () => void {
    return this.#local.subscribe(listener);
  }

  #hear(text: string): void {
    const message = readMessage(text);
    if (!message || message.from === this.#bootId) return;
    this.#local.publish({ conversationId: message.conversationId, seq: message.seq, elsewhere: true });
  }
}

/** Redis may be shared, and anybody there may publish: what is not ours is ignored. */
function readMessage(text: string): Message | null {
  try {
    const { from, conversationId, seq } = JSON.parse(text) as Record<string, unknown>;
    if (typeof from !== 'string' || typeof conversationId !== 'string' || !Number.isSafeInteger(seq)) return null;
    return { from, conversationId, seq: seq as number };
  } catch {
    return null;
  }
}
