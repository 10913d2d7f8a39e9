/** A customer on the web: a small Direct Line client over HTTP, following by WebSocket or by polling. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Customer, PATIENCE_MS } from './customer.ts';
import { type Conversation, newMessage, type Sent, type Shown } from './evidence.ts';
import { type Answer, ask } from './http.ts';

/** The customer heard nothing of what is owed to them for so long that they come back by themselves. */
const SILENCE_MS = 8_000;
const POLL_MS = 300;

type Said = { readonly type: 'message'; readonly text: string } | { readonly type: 'event'; readonly name: string };

interface Frame {
  readonly activities?: readonly {
    readonly id: string;
    readonly channelData?: { readonly idempotencyKey?: string };
    readonly from: { readonly role?: string };
  }[];
  readonly watermark?: string;
}

/** One conversation as this client knows it. */
interface Thread {
  readonly conversationId: string;
  readonly token: string;
  readonly sent: Sent[];
  readonly shown: Shown[];
  /** Everything up to here was shown. */
  watermark: number;
  streamUrl: string | null;
  /** The last activity shown that was not the customer's own. */
  lastAnswer: number;
  /** Its customer no longer follows it. */
  left: boolean;
}

export class WebCustomer extends Customer {
  readonly #follows: 'stream' | 'poll';
  readonly #joins: boolean;
  readonly #threads: Thread[] = [];

  /** `joins`: begins with the event by which Lobby's own page asks to be greeted. */
  constructor(
    parts: ConstructorParameters<typeof Customer>[0],
    how: { readonly follows: 'stream' | 'poll'; readonly joins: boolean },
  ) {
    super(parts);
    this.#follows = how.follows;
    this.#joins = how.joins;
  }

  get conversations(): readonly Conversation[] {
    return this.#threads.map(({ conversationId, sent, shown }) => ({ channel: 'web', conversationId, sent, shown }));
  }

  /** How far the customer has seen in each conversation. */
  get watermarks(): readonly Pick<Thread, 'conversationId' | 'watermark'>[] {
    return this.#threads;
  }

  async live(): Promise<void> {
    const { closing, over } = this.parts;
    const endings: Promise<void>[] = [];
    while (!closing.aborted) {
      const thread = await this.#begin();
      if (!thread) break;
      const following = this.#follow(thread);
      await this.#talk(thread);
      await this.#untilAnswered(thread);
      // The last conversation is followed to the end of the run: what its client is not shown by then is lost.
      if (closing.aborted) await aborted(over);
      thread.left = true;
      endings.push(following.then(() => this.#lookBack(thread)));
    }
    await Promise.all(endings);
  }

  async #begin(): Promise<Thread | null> {
    const issued = await this.#insist((door) => this.#post(`${door}/api/chat/token`, undefined, {}));
    if (!issued) return null;
    const { token, conversationId } = issued.body as { token: string; conversationId: string };
    const begun = await this.#insist((door) => this.#post(`${door}/v3/directline/conversations`, token, {}));
    if (!begun) return null;
    const { streamUrl = null } = begun.body as { streamUrl?: string };
    const thread: Thread = {
      conversationId,
      token,
      sent: [],
      shown: [],
      watermark: 0,
      streamUrl,
      lastAnswer: 0,
      left: false,
    };
    this.#threads.push(thread);
    return thread;
  }

  async #talk(thread: Thread): Promise<void> {
    const { messages, closing, random, phrases, thinkMs } = this.parts;
    if (this.#joins) await this.#send(thread, { type: 'event', name: 'webchat/join' });
    while (thread.sent.length < messages && !closing.aborted) {
      await this.#send(thread, { type: 'message', text: random.pick(phrases) });
      await this.rest(thinkMs * random.between(0.2, 1.8));
    }
  }

  async #send(thread: Thread, activity: Said): Promise<void> {
    const name = `${this.parts.name}-${this.#threads.length}-${thread.sent.length + 1}`;
    const message = newMessage(name, name, activity.type === 'message');
    thread.sent.push(message);
    const { conversationId, token } = thread;
    await this.say(
      message,
      (door, count) => {
        // As Web Chat does it: every try has a new client id, and the key stays.
        const channelData = { idempotencyKey: message.key, clientActivityID: `${message.key}~${count}` };
        const url = `${door}/v3/directline/conversations/${conversationId}/activities`;
        return this.#post(url, token, { ...activity, channelData });
      },
      ({ body }) => seqOf(String(body.id)),
    );
  }

  /** Until an answer to the last message was shown, or for as long as there is time. */
  async #untilAnswered(thread: Thread): Promise<void> {
    const last = thread.sent.findLast(({ expectsAnswer }) => expectsAnswer)?.seqs[0] ?? 0;
    while (thread.lastAnswer <= last && !this.parts.over.aborted) await this.rest(50);
  }

  async #follow(thread: Thread): Promise<void> {
    switch (this.#follows) {
      case 'poll':
        while (this.#goesOn(thread)) {
          await this.#poll(thread);
          await this.rest(POLL_MS * this.parts.random.between(0.7, 1.3));
        }
        return;
      case 'stream':
        while (this.#goesOn(thread)) {
          const url = thread.streamUrl ?? (await this.#comeBack(thread));
          thread.streamUrl = null;
          if (url !== null) await this.#listen(thread, url);
          await this.rest(this.parts.random.between(20, 500));
        }
    }
  }

  #goesOn(thread: Thread): boolean {
    return !thread.left && !this.parts.over.aborted;
  }

  /** A new stream address that begins where this client stands. */
  async #comeBack({ conversationId, token, watermark }: Thread): Promise<string | null> {
    const url = `${this.door}/v3/directline/conversations/${conversationId}?watermark=${watermark}`;
    const answer = await ask({ method: 'GET', url, token, withinMs: PATIENCE_MS }).catch(() => null);
    return answer?.status === 200 ? String(answer.body.streamUrl) : null;
  }

  /** Resolves when the socket has ended, whoever ended it. */
  #listen(thread: Thread, url: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url, { handshakeTimeout: 5_000, perMessageDeflate: false });
      let heard = Date.now();
      const watch = setInterval(() => {
        const owed = thread.lastAnswer <= (thread.sent.findLast(({ seqs }) => seqs.length > 0)?.seqs[0] ?? 0);
        if (!this.#goesOn(thread) || (owed && Date.now() - heard > SILENCE_MS)) socket.terminate();
      }, 100);
      socket.on('message', (data: Buffer) => {
        heard = Date.now();
        if (data.length > 0) note(thread, JSON.parse(data.toString('utf8')) as Frame);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(watch);
        resolve();
      });
    });
  }

  async #poll(thread: Thread): Promise<void> {
    const { conversationId, token, watermark } = thread;
    const url = `${this.door}/v3/directline/conversations/${conversationId}/activities?watermark=${watermark}`;
    const answer = await ask({ method: 'GET', url, token, withinMs: PATIENCE_MS }).catch(() => null);
    if (answer?.status === 200) note(thread, answer.body as Frame);
  }

  /** At the end of the run a conversation that was left is read to its end: a late answer may have come. */
  async #lookBack(thread: Thread): Promise<void> {
    const { closing, over, random } = this.parts;
    await aborted(closing);
    while (!over.aborted) {
      await this.#poll(thread);
      await this.rest(random.between(500, 2_500));
    }
  }

  async #insist(attempt: (door: string) => Promise<Answer>): Promise<Answer | null> {
    while (!this.parts.over.aborted) {
      const answer = await attempt(this.door).catch(() => null);
      if (answer && answer.status < 300) return answer;
      await this.rest(this.parts.random.between(100, 500));
    }
    return null;
  }

  #post(url: string, token: string | undefined, body: object): Promise<Answer> {
    return ask({ method: 'POST', url, body, withinMs: PATIENCE_MS, ...(token !== undefined && { token }) });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Writes down what was shown, in the order it came. A frame without a watermark echoes a repeat. */
function note(thread: Thread, { activities = [], watermark }: Frame): void {
  for (const { id, channelData, from } of activities) {
    const seq = seqOf(id);
    const own = from.role === 'user';
    thread.shown.push({
      seq,
      key: own ? (channelData?.idempotencyKey ?? null) : null,
      inOrder: watermark !== undefined,
    });
    if (!own) thread.lastAnswer = Math.max(thread.lastAnswer, seq);
  }
  if (watermark !== undefined) thread.watermark = Number(watermark);
}

/** The place in an id such as `kq3…x|0000012`. */
function seqOf(id: string): number {
  return Number(id.split('|')[1]);
}
