/** Aims at the gate processes: each is told at which named point to die, the points that were hit least come first. */

import { type Order, POINTS, type Point } from './points.ts';
import type { Random } from './random.ts';

/** A point that was not come by for so long is given up for another. */
const AIMS_FOR_MS = 6_000;
/** Points that every message comes by: some pass unharmed, so that work gets done between two deaths. */
const MOST_PASSED = 12;
const RARE: ReadonlySet<Point> = new Set(['late-answer', 'timer-before-fire', 'timer-after-fire']);

type Send = (message: object) => void;

export class Marksman {
  readonly hits = Object.fromEntries(POINTS.map((point) => [point, 0])) as Record<Point, number>;
  readonly #random: Random;
  readonly #aims = new Map<string, { readonly point: Point; readonly send: Send; readonly again: NodeJS.Timeout }>();
  #holdsFire = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** What an instance does with its marksman: he aims when it comes up, and counts when it is hit. */
  aimAt(name: string): { readonly cameUp: (send: Send) => void; readonly died: () => void } {
    return { cameUp: (send) => this.#aim(name, send), died: () => this.#hit(name) };
  }

  /** From now on nobody is shot. */
  ceaseFire(): void {
    this.#holdsFire = true;
    for (const { send, again } of this.#aims.values()) {
      clearTimeout(again);
      // An order that nobody ever comes by takes the place of the one given.
      send({ point: 'after-load', skip: Number.MAX_SAFE_INTEGER, afterMs: 0 } satisfies Order);
    }
    this.#aims.clear();
  }

  #aim(name: string, send: Send): void {
    if (this.#holdsFire) return;
    const point = this.#next();
    const skip = RARE.has(point) ? 0 : this.#random.whole(0, MOST_PASSED);
    send({ point, skip, afterMs: this.#random.between(0, 4) } satisfies Order);
    const again = setTimeout(() => this.#aim(name, send), AIMS_FOR_MS);
    again.unref();
    clearTimeout(this.#aims.get(name)?.again);
    this.#aims.set(name, { point, send, again });
  }

  #hit(name: string): void {
    const aim = this.#aims.get(name);
    if (!aim) return;
    clearTimeout(aim.again);
    this.#aims.delete(name);
    this.hits[aim.point] += 1;
  }

  /** The point hit least so far; by chance among equals, and not the one another process is aimed at. */
  #next(): Point {
    const taken = new Set([...this.#aims.values()].map(({ point }) => point));
    const free = POINTS.filter((point) => !taken.has(point));
    const least = Math.min(...free.map((point) => this.hits[point]));
    return this.#random.pick(free.filter((point) => this.hits[point] === least));
  }
}
