/** A day at the bank in a few thousand events: instances, record, network, customers, staff, and misfortune, all by one seed. */

import type { WakeHint } from '../../../adapters/channel.ts';
import { OutsideChannel } from './channel.ts';
import { Chaos } from './chaos.ts';
import { Customer, Reader } from './customer.ts';
import { Desk } from './desk.ts';
import { type Defect, Instance } from './instance.ts';
import { violationsOf } from './invariants.ts';
import { isOpen, type ModelMessage, ModelRecord, type ModelTimer } from './model-record.ts';
import { Process } from './process.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { Timeline } from './timeline.ts';

const POLL_MS = 2_000;
const SWEEP_MS = 16_000;
/** By then everything must have come to rest, however much went wrong before. */
const REST_WITHIN_MS = 15 * 60_000;
const MOST_EVENTS = 50_000;

/** What a run came to. */
export interface Outcome {
  /** Sentences that must never be true. Empty is well. */
  readonly violations: readonly string[];
  /** What happened how often. */
  readonly seen: ReadonlyMap<string, number>;
  /** Steps of the day. */
  readonly events: number;
}

/** Plays one scenario to its end. The same scenario and defect always play the same. */
export async function play(scenario: Scenario, defect: Defect = {}): Promise<Outcome> {
  const world = new World(scenario, defect);
  await world.run();
  return { violations: world.violations, seen: world.chaos.seen, events: world.events };
}

export class World {
  readonly random: Random;
  readonly timeline: Timeline;
  readonly chaos: Chaos;
  readonly record: ModelRecord;
  readonly outside: OutsideChannel;
  readonly customers: readonly Customer[];
  readonly readers: readonly Reader[];
  readonly violations: string[] = [];
  readonly scenario: Scenario;
  readonly defect: Defect;
  events = 0;
  readonly #desks: readonly Desk[];
  readonly #places: (Instance | undefined)[];
  readonly #all: Instance[] = [];
  #idle = false;
  #ended = false;

  constructor(scenario: Scenario, defect: Defect) {
    this.scenario = scenario;
    this.defect = defect;
    this.random = new Random(scenario.seed);
    this.timeline = new Timeline(this.random);
    this.chaos = new Chaos(scenario.misfortune, this.random, this.timeline);
    this.record = new (defect.record ?? ModelRecord)(() => this.timeline.now);
    this.outside = new OutsideChannel(this);
    this.customers = scenario.customers.map((plan, number) => new Customer(this, plan, number));
    this.readers = this.customers
      .filter(({ plan }) => plan.delivery === 'stream')
      .map(({ conversationId }) => new Reader(this, conversationId));
    const calm = new Chaos({ ...scenario.misfortune, crashes: 0, pauses: 0 }, this.random, this.timeline);
    const browser = new Process(this.timeline, calm, () => undefined);
    this.#desks = scenario.staff.map((plan, number) => new Desk(this, browser, plan, number));
    this.#places = Array.from({ length: scenario.instances }, () => undefined);
  }

  violated(sentence: string): void {
    if (!this.#ended) this.violations.push(sentence);
  }

  /** Carries a message between two machines; it may be late, lost, or come twice. */
  carry(arrive: () => void): void {
    if (this.chaos.loses()) return;
    this.timeline.after(this.chaos.delay(), arrive);
    if (this.chaos.doubles()) this.timeline.after(this.random.between(1, 20_000), arrive);
  }

  /** An instance as the load balancer picks one: alive, or so it thinks. */
  anyInstance(): Instance | undefined {
    return this.scenario.crowded && this.random.chance(0.9) ? this.#places[0] : this.random.pick(this.#places);
  }

  /** Tells all instances but one of news, over Redis. */
  tell({ conversationId, seq }: WakeHint, from: Process | undefined): void {
    if (!this.scenario.redis) return;
    for (const instance of this.#places) {
      const process = instance?.parts.process;
      if (!instance || !process || process === from) continue;
      this.carry(() =>
        process.resume(0, 'hint', () => instance.wake.publish({ conversationId, seq, elsewhere: true })),
      );
    }
  }

  async run(): Promise<void> {
    for (const place of this.#places.keys()) this.#boot(place);
    for (const customer of this.customers) this.timeline.after(this.random.between(0, 20), () => customer.start());
    for (const reader of this.readers) this.timeline.after(this.random.between(0, 200), () => reader.connect());
    for (const desk of this.#desks) {
      void desk.work().catch((error: unknown) => this.violated(`The desk failed: ${String(error)}`));
    }
    for (const at of this.scenario.drainsAtMs) this.timeline.after(at, () => this.#drain());
    this.#keepHouse();
    await this.#live();
    this.violations.push(...violationsOf(this));
    this.#ended = true;
    for (const { stream } of this.#all) void stream.close();
  }

  async #live(): Promise<void> {
    for (; this.events < MOST_EVENTS && this.timeline.now < REST_WITHIN_MS; this.events += 1) {
      if (this.timeline.pending === 0 && this.#rests()) return;
      this.timeline.step();
      if (!this.#idle) await settled();
      this.#idle = false;
    }
    this.violated(`It never came to rest: ${this.#unfinished().join(', ')}.`);
  }

  #rests(): boolean {
    return this.#unfinished().length === 0;
  }

  #unfinished(): string[] {
    const open: string[] = [];
    if (this.customers.some(({ done }) => !done)) open.push('a message was never acknowledged');
    if (this.#desks.some(({ done }) => !done)) open.push('a desk never finished');
    if (this.record.outbox.some(isOpen)) open.push('a message was never sent');
    if (this.record.timers.some((timer) => this.#mustFire(timer))) open.push('a timer never fired');
    if (this.readers.some((reader) => this.#isBehind(reader))) open.push('a customer was never shown everything');
    return open;
  }

  /** A visit does not end while the customer waits for a person. */
  #mustFire({ state, kind, conversationId }: ModelTimer): boolean {
    const waits = this.record.conversations.get(conversationId)?.handoffs.some(({ open }) => open) ?? false;
    return state === 'waiting' && !(kind === 'idle' && waits);
  }

  #isBehind({ conversationId, last }: Reader): boolean {
    const rows = this.record.conversations.get(conversationId)?.rows ?? [];
    return rows.some(({ seq, direction }) => seq > last && direction !== 'event');
  }

  #boot(place: number): void {
    const process = new Process(this.timeline, this.chaos, () => {
      this.#places[place] = undefined;
      this.timeline.after(this.random.between(100, 5_000), () => this.#boot(place));
    });
    const instance = new Instance({
      name: `i${this.#all.length}`,
      process,
      random: this.random,
      record: this.record,
      tellOthers: this.scenario.redis ? (hint) => this.tell(hint, process) : undefined,
      sender: (of) => this.outside.senderOf(of),
      violated: (sentence) => this.violated(sentence),
      defect: this.defect,
    });
    this.#places[place] = instance;
    this.#all.push(instance);
  }

  /** A stop in good order: what was taken is finished, then the process ends and a new one begins. */
  #drain(): void {
    const instance = this.anyInstance();
    if (!instance) return;
    this.chaos.note('drain');
    void instance.turns.close().then(() => instance.parts.process.die());
  }

  /** The loops of all instances. What would find nothing to do is not run: it changes nothing and would only cost time. */
  #keepHouse(): void {
    this.timeline.after(this.#nextRound(), () => this.#round(), true);
  }

  #round(): void {
    const { now } = this.timeline;
    const sending = this.record.outbox.some((message) => nextTime(message) < now);
    const ringing = this.record.timers.some((timer) => this.record.isDue(timer));
    const sweepEvery = this.scenario.redis ? SWEEP_MS : POLL_MS;
    const sweeping = now % sweepEvery < POLL_MS && this.readers.some((reader) => this.#isBehind(reader));
    this.#idle = !(sending || ringing || sweeping);
    for (const instance of this.#places) {
      if (sending) instance?.deliver();
      if (ringing) instance?.ring();
      if (sweeping && !this.defect.neverSweeps) void instance?.stream.sweep();
    }
    this.#keepHouse();
  }

  /** The next poll; or, when nothing else is to happen, the first one that will find something. */
  #nextRound(): number {
    if (this.timeline.pending > 0 || this.readers.some((reader) => this.#isBehind(reader))) return POLL_MS;
    const waiting = this.record.timers.filter((timer) => this.#mustFire(timer));
    const due = waiting.map((timer) => Math.max(timer.due, timer.leasedUntil));
    const first = Math.min(...due, ...this.record.outbox.map(nextTime));
    return Number.isFinite(first) ? Math.max(POLL_MS, first - this.timeline.now + 1) : POLL_MS;
  }
}

/** When a sender has something to do with a message; never, once it is settled. */
function nextTime({ state, due, leasedUntil }: ModelMessage): number {
  switch (state) {
    case 'ready':
      return due;
    case 'leased':
      return leasedUntil;
    case 'held':
    case 'unknown':
    case 'done':
    case 'failed':
      return Number.POSITIVE_INFINITY;
  }
}

/** When everybody has done all they can without another event. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
