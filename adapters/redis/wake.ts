/** Wake-ups between instances: a customer's socket on one sees at once what another commits. A lost one only delays. */

import type { Wake, WakeHint } from '../channel.ts';
import { LocalWake } from './local-wake.ts';
import type { RedisLink } from './redis.ts';

const CHANNEL = 'lobby:wake';

/** What goes over the wire. Rows stay at home: whoever needs them reads the record. */
type Message =
  | { readonly from: string; readonly conversationId: string; readonly seq: number }
  /** A sign of life to ourselves: that it arrives proves the way from command to subscription. */
  | { readonly from: string; readonly pulse: true }
  /** We could not tell the others of everything: they should look for themselves once. */
  | { readonly from: string; readonly missed: true };

/** Without a sign of life for this long, other instances' hints do not reach us either. */
const DEAF_AFTER_MS = 2_500;

/** Local listeners hear at once and with the rows; other instances hear by Redis, when it is there. */
export class RedisWake implements Wake {
  readonly #local: LocalWake;
  readonly #link: RedisLink;
  readonly #bootId: string;
  readonly #now: () => number;
  #heardAt = Number.NEGATIVE_INFINITY;
  #untold = false;
  #missed = false;

  /** `bootId` tells our own messages from the others'; `now` is in milliseconds and only grows. */
  constructor(link: RedisLink, bootId: string, now: () => number, onError: (error: unknown) => void) {
    this.#local = new LocalWake(onError);
    this.#link = link;
    this.#bootId = bootId;
    this.#now = now;
    link.listening.on('message', (_channel: string, text: string) => this.#hear(text));
    // Asked for again by the client itself after every reconnect.
    link.listening.subscribe(CHANNEL).catch(() => undefined);
  }

  publish(hint: WakeHint): void {
    this.#local.publish(hint);
    const { conversationId, seq } = hint;
    this.#tell({ from: this.#bootId, conversationId, seq });
  }

  /** Sends ourselves a sign of life, and the others word of hints they missed; to be called about once a second. */
  pulse(): void {
    this.#tell({ from: this.#bootId, pulse: true });
    if (!this.#untold || this.deaf) return;
    this.#untold = false;
    this.#tell({ from: this.#bootId, missed: true });
  }

  /** Whether hints of other instances may be passing us by. */
  get deaf(): boolean {
    return this.#now() - this.#heardAt > DEAF_AFTER_MS;
  }

  /** Whether the record must be asked now, because hints were or may have been lost. Asking settles the former. */
  mustLook(): boolean {
    const missed = this.#missed;
    this.#missed = false;
    return missed || this.deaf;
  }

  subscribe(listener: (hint: WakeHint) => void): () => void {
    return this.#local.subscribe(listener);
  }

  #tell(message: Message): void {
    void this.#link
      .try((redis) => redis.publish(CHANNEL, JSON.stringify(message)))
      .then((heardBy) => {
        if (heardBy === undefined && !('pulse' in message)) this.#untold = true;
      });
  }

  #hear(text: string): void {
    const message = readMessage(text);
    if (!message) return;
    if (message.from === this.#bootId) this.#heardAt = this.#now();
    else if ('missed' in message) this.#missed = true;
    else if ('seq' in message)
      this.#local.publish({ conversationId: message.conversationId, seq: message.seq, elsewhere: true });
  }
}

/** Redis may be shared, and anybody there may publish: what is not ours is ignored. */
function readMessage(text: string): Message | null {
  try {
    const { from, conversationId, seq, pulse, missed } = JSON.parse(text) as Record<string, unknown>;
    if (typeof from !== 'string') return null;
    if (pulse === true) return { from, pulse };
    if (missed === true) return { from, missed };
    if (typeof conversationId !== 'string' || !Number.isSafeInteger(seq)) return null;
    return { from, conversationId, seq: seq as number };
  } catch {
    return null;
  }
}
