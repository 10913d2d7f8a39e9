/** A bad network on purpose: a TCP proxy between two parts of Lobby that delays, holds, drips, cuts, resets and falls silent. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './prove/random.ts';

/**
 * - `latency`: everything arrives late, each piece by another delay, in order.
 * - `stall`: nothing passes, and then everything does.
 * - `drip`: a few bytes at a time.
 * - `reset`: connections end at once, with what was on its way (RST).
 * - `cut`: a connection ends in the middle of the next reply.
 * - `half-open`: nothing passes any more and neither side is told, until at last both are reset.
 */
export const FAULTS = ['latency', 'stall', 'drip', 'reset', 'cut', 'half-open'] as const;
export type Fault = (typeof FAULTS)[number];

/** What is wrong with the whole line, for a while. */
type Weather = 'latency' | 'stall' | 'drip';
/** What befalls single connections. */
type Blow = 'reset' | 'cut' | 'half-open';

/** One proxy: a port of the loopback in front of another. */
export class FaultProxy {
  /** The port behind the proxy; 0 while nobody is there. */
  target: number;
  /** Faults that really met a connection. */
  readonly struck = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  readonly #random: Random;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #weather: Spell | null = null;
  #blow: { readonly kind: Blow; readonly ms: number } | null = null;

  private constructor(random: Random, target: number) {
    this.#random = random;
    this.target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
  }

  static async open(random: Random, target = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(random, target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets one fault happen, now and for `ms`. A blow falls on some of the open connections, or on the next one. */
  strike(fault: Fault, ms: number): void {
    switch (fault) {
      case 'latency':
      case 'stall':
      case 'drip':
        this.#weather?.end();
        this.#weather = new Spell(fault, ms, () => this.#count(fault));
        return;
      case 'reset':
      case 'cut':
      case 'half-open': {
        const met = [...this.#links].filter(() => this.#random.chance(0.5));
        if (met.length === 0) this.#blow = { kind: fault, ms };
        else this.#count(fault);
        for (const link of met) link.suffer(fault, ms, this.#random);
      }
    }
  }

  /** From now on everything passes. Connections that fell silent are reset. */
  heal(): void {
    this.#weather?.end();
    this.#weather = null;
    this.#blow = null;
    for (const link of this.#links) link.heal();
  }

  async close(): Promise<void> {
    this.heal();
    for (const link of this.#links) link.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(near: Socket): void {
    near.on('error', ignore);
    if (this.target === 0) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link = new Link(near, far, () => (this.#weather?.over === false ? this.#weather : null), this.#random);
    this.#links.add(link);
    near.once('close', () => this.#links.delete(link));
    if (!this.#blow) return;
    this.#count(this.#blow.kind);
    link.suffer(this.#blow.kind, this.#blow.ms, this.#random);
    this.#blow = null;
  }

  #count(fault: Fault): void {
    this.struck[fault] += 1;
  }
}

/** Bad weather on a line, until it passes or is ended. */
class Spell {
  readonly kind: Weather;
  readonly passed: Promise<void>;
  over = false;
  #met: (() => void) | null;
  #pass: () => void = ignore;

  constructor(kind: Weather, ms: number, met: () => void) {
    this.kind = kind;
    this.#met = met;
    this.passed = new Promise((resolve) => {
      this.#pass = resolve;
    });
    setTimeout(() => this.end(), ms).unref();
  }

  /** Called for everything that travels in this weather: the first one makes it count. */
  meet(): void {
    this.#met?.();
    this.#met = null;
  }

  end(): void {
    this.over = true;
    this.#pass();
  }
}

/** Two sockets joined, and what is wrong between them. */
class Link {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #weather: () => Spell | null;
  readonly #random: Random;
  #silent = false;
  /** How many bytes of the next reply still pass. */
  #cutAfter: number | null = null;

  constructor(near: Socket, far: Socket, weather: () => Spell | null, random: Random) {
    this.#near = near;
    this.#far = far;
    this.#weather = weather;
    this.#random = random;
    this.#carry(near, far, false);
    this.#carry(far, near, true);
  }

  suffer(blow: Blow, ms: number, random: Random): void {
    switch (blow) {
      case 'reset':
        this.reset();
        return;
      case 'cut':
        this.#cutAfter = random.whole(0, 200);
        return;
      case 'half-open':
        this.#silent = true;
        setTimeout(() => this.reset(), ms).unref();
    }
  }

  heal(): void {
    this.#cutAfter = null;
    if (this.#silent) this.reset();
  }

  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #carry(from: Socket, to: Socket, isReply: boolean): void {
    let last = Promise.resolve();
    from.on('error', ignore);
    const wait = (passed: Promise<void>): void => {
      from.pause();
      last = passed.then(() => void from.resume());
    };
    from.on('data', (bytes: Buffer) => {
      if (!this.#isClear(isReply)) wait(this.#struggle(bytes, to, isReply));
      else if (!to.write(bytes)) wait(new Promise((resolve) => to.once('drain', resolve).once('close', resolve)));
    });
    from.on('end', () => void last.then(() => this.#silent || to.end()));
    from.on('close', (broken) => {
      if (this.#silent) return;
      if (broken) to.resetAndDestroy();
      else void last.then(() => to.end());
    });
  }

  #isClear(isReply: boolean): boolean {
    return !this.#silent && this.#weather() === null && (this.#cutAfter === null || !isReply);
  }

  /** Passes these bytes on as well as the weather allows. */
  async #struggle(bytes: Buffer, to: Socket, isReply: boolean): Promise<void> {
    const spell = this.#weather();
    spell?.meet();
    switch (spell?.kind) {
      case 'latency':
        await pause(this.#random.between(10, 250));
        break;
      case 'stall':
        await spell.passed;
        break;
      case 'drip':
        await this.#drip(bytes, to, spell);
        return;
      case undefined:
    }
    if (this.#silent || to.destroyed) return;
    if (isReply && this.#cutAfter !== null) to.write(bytes.subarray(0, this.#cutAfter), () => this.reset());
    else to.write(bytes);
  }

  async #drip(bytes: Buffer, to: Socket, spell: Spell): Promise<void> {
    let from = 0;
    while (from < bytes.length && !to.destroyed && !this.#silent) {
      const size = spell.over ? bytes.length : this.#random.whole(1, 24);
      to.write(bytes.subarray(from, from + size));
      from += size;
      await pause(this.#random.between(1, 6));
    }
  }
}

/** Broken connections are what a proxy is for. */
function ignore(): void {}
