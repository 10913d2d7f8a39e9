/** A customer's client: sends each message again under the same key until it is acknowledged, and reads what the record gains. */

import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import type { Inbound, TurnOutcome } from '../../../adapters/channel.ts';
import type { Word } from './bot.ts';
import type { Instance } from './instance.ts';
import { UNSTORABLE } from './model-record.ts';
import type { CustomerPlan } from './scenario.ts';
import type { World } from './world.ts';

const OPEN = 1;
const CLOSED = 3;
/** What no record can keep is given up after so many tries; anything else never. */
const TRIES_OF_THE_UNSTORABLE = 3;

/** A message the service has said it took. */
export interface Acknowledged {
  readonly key: string;
  readonly causeSeq: number;
  /** Rows that came with the acknowledgement. */
  readonly rows: number;
}

/** One customer writing in one conversation. */
export class Customer {
  readonly conversationId: string;
  readonly plan: CustomerPlan;
  /** In the order the messages were written; undefined while nobody took them. */
  readonly acknowledged: (Acknowledged | undefined)[] = [];
  readonly #world: World;
  readonly #attempts = new Map<number, number>();
  readonly #givenUp = new Set<number>();
  #open: number;

  constructor(world: World, plan: CustomerPlan, number: number) {
    this.#world = world;
    this.plan = plan;
    this.conversationId = `conversation-${number}`;
    this.#open = plan.words.length;
  }

  /** Every message was taken, or given up where no record can keep it. */
  get done(): boolean {
    return this.#open === 0;
  }

  keyOf(place: number): string {
    return `${this.plan.delivery}:${this.conversationId}:${place}`;
  }

  start(): void {
    const { plan } = this;
    if (plan.delivery === 'stream') this.#world.record.begin({ conversationId: this.conversationId, channel: 'web' });
    if (plan.patient) this.#send(0, 1);
    else for (const place of plan.words.keys()) this.#world.timeline.after(place * 40, () => this.#send(place, 1));
  }

  #send(place: number, attempt: number): void {
    const { timeline, random } = this.#world;
    if (this.#isSettled(place)) return;
    const instance = this.#world.anyInstance();
    if (instance) {
      this.#world.carry(() => {
        instance.parts.process.resume(0, 'receiving', () =>
          instance.receive(this.#inbound(place, attempt), (outcome) =>
            this.#world.carry(() => this.#hear(place, attempt, outcome)),
          ),
        );
      });
    }
    timeline.after(random.between(3_000, 10_000), () => this.#again(place, attempt));
  }

  /** Only the latest attempt is followed by another. */
  #again(place: number, attempt: number): void {
    if (this.#isSettled(place) || (this.#attempts.get(place) ?? 1) !== attempt) return;
    if (this.plan.words[place] === UNSTORABLE && attempt >= TRIES_OF_THE_UNSTORABLE) {
      this.#givenUp.add(place);
      this.#settle(place);
      return;
    }
    this.#attempts.set(place, attempt + 1);
    this.#send(place, attempt + 1);
  }

  #hear(place: number, attempt: number, outcome: TurnOutcome): void {
    switch (outcome.status) {
      case 'done':
      case 'repeat':
        this.#acknowledge(place, outcome.activities);
        return;
      case 'busy':
      case 'unavailable': {
        const wait = outcome.retryAfterSeconds * 500;
        this.#world.timeline.after(wait, () => this.#again(place, attempt));
        return;
      }
      case 'unknown_conversation':
        this.#world.violated('A conversation that was begun was not known.');
    }
  }

  #acknowledge(place: number, rows: readonly { readonly seq: number }[]): void {
    const causeSeq = rows[0]?.seq;
    if (causeSeq === undefined) {
      this.#world.violated('An acknowledgement carried no row.');
      return;
    }
    const before = this.acknowledged[place];
    if (before && before.causeSeq !== causeSeq) this.#world.violated('A repeat was answered with another id.');
    const first = before === undefined && !this.#givenUp.has(place);
    this.acknowledged[place] = { key: this.keyOf(place), causeSeq, rows: Math.max(before?.rows ?? 0, rows.length) };
    if (first) this.#settle(place);
  }

  #settle(place: number): void {
    this.#open -= 1;
    const { patient, words, gapMs } = this.plan;
    if (patient && place + 1 < words.length) this.#world.timeline.after(gapMs, () => this.#send(place + 1, 1));
  }

  #isSettled(place: number): boolean {
    return this.acknowledged[place] !== undefined || this.#givenUp.has(place);
  }

  #inbound(place: number, attempt: number): Inbound {
    const key = this.keyOf(place);
    const { delivery } = this.plan;
    const text: Word = this.plan.words[place] ?? 'hello';
    return {
      channel: delivery === 'stream' ? 'web' : 'azure',
      conversationId: this.conversationId,
      key: attempt === 1 ? key : (this.#world.defect.retryKey?.(key, attempt) ?? key),
      activity: { type: 'message', text },
      delivery: delivery === 'outbox' ? { by: 'outbox', route: this.conversationId } : { by: delivery },
    };
  }
}

/** The customer's page: one socket at a time, coming back by its watermark. */
export class Reader {
  readonly conversationId: string;
  /** What was shown, in the order shown. */
  readonly shown: number[] = [];
  readonly #world: World;
  #socket: Socket | undefined;

  constructor(world: World, conversationId: string) {
    this.#world = world;
    this.conversationId = conversationId;
  }

  get last(): number {
    return this.shown.at(-1) ?? 0;
  }

  connect(): void {
    const { timeline, random } = this.#world;
    const instance = this.#world.anyInstance();
    if (!instance) {
      timeline.after(1_000, () => this.connect());
      return;
    }
    const socket = new Socket(this.#world, instance, this);
    this.#socket = socket;
    instance.parts.process.resume(random.between(1, 20), 'opening a socket', () => socket.open());
    timeline.after(5_000, () => {
      if (this.#socket === socket && socket.readyState !== OPEN) this.#comeBack();
    });
  }

  receive(socket: Socket, frame: string): void {
    if (socket !== this.#socket) return;
    if (this.#world.chaos.loses()) {
      socket.lose();
      return;
    }
    const { activities } = JSON.parse(frame) as { activities: { id: string; text?: string }[] };
    for (const { id, text } of activities) this.#show(Number(id.split('|')[1]), text);
  }

  lost(socket: Socket): void {
    if (socket === this.#socket) this.#comeBack();
  }

  #comeBack(): void {
    this.#socket = undefined;
    this.#world.timeline.after(this.#world.random.between(100, 1_000), () => this.connect());
  }

  #show(seq: number, text: string | undefined): void {
    const row = this.#world.record.conversations
      .get(this.conversationId)
      ?.rows.find((candidate) => candidate.seq === seq);
    if (!row || row.body.text !== text) this.#world.violated('A customer was shown what is not recorded.');
    if (seq <= this.last) this.#world.violated('A customer was shown a row twice, or out of order.');
    this.shown.push(seq);
  }
}

/** A WebSocket as the stream uses one: frames arrive in order, or the connection is lost. */
class Socket extends EventEmitter {
  readonly bufferedAmount = 0;
  readyState = 0;
  readonly #world: World;
  readonly #instance: Instance;
  readonly #reader: Reader;
  readonly #frames: string[] = [];

  constructor(world: World, instance: Instance, reader: Reader) {
    super();
    this.#world = world;
    this.#instance = instance;
    this.#reader = reader;
  }

  open(): void {
    const { conversationId, last } = this.#reader;
    this.readyState = OPEN;
    this.#instance.parts.process.attach(this);
    const claims = { conversationId, family: conversationId, userId: 'dl_customer', watermark: last };
    const ticket = { ...claims, tokenId: '', origins: [], nonce: '' };
    const rendering = { userId: 'dl_customer', botName: 'Lobby', uploadUrl: () => '' };
    this.#instance.stream.open(this as unknown as WebSocket, ticket, rendering);
  }

  send(frame: string, sent: () => void): void {
    const { process } = this.#instance.parts;
    if (this.readyState !== OPEN || !process.leaves('pushing')) return;
    this.#frames.push(frame);
    this.#world.timeline.after(this.#world.chaos.delay(), () => {
      const next = this.#frames.shift();
      if (next !== undefined) this.#reader.receive(this, next);
    });
    process.resume(1, 'pushed', sent);
  }

  /** The connection breaks: the customer notices at once, the service a little later. */
  lose(): void {
    this.#world.chaos.note('socket lost');
    this.#frames.length = 0;
    this.#reader.lost(this);
    this.#instance.parts.process.resume(this.#world.chaos.delay(), 'losing a socket', () => this.close(1006));
  }

  close(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.emit('close', code);
    this.#reader.lost(this);
  }
}
