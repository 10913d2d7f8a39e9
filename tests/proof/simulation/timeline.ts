/** Time as a list of things to come: nothing happens by itself, and an hour costs as much as the events in it. */

import type { Random } from './random.ts';

interface Entry {
  readonly at: number;
  /** Decides among events of the same instant. */
  readonly lot: number;
  readonly background: boolean;
  readonly happen: () => void;
}

/** The virtual clock. Events of one instant happen in an order drawn by lot. */
export class Timeline {
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  #foreground = 0;
  #now = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Events to come besides those that repeat for ever. */
  get pending(): number {
    return this.#foreground;
  }

  /** Lets something happen `delay` milliseconds from now. What is in the `background` keeps nobody waiting for the end. */
  after(delay: number, happen: () => void, background = false): void {
    this.#push({ at: this.#now + delay, lot: this.#random.next(), background, happen });
    if (!background) this.#foreground += 1;
  }

  /** Lets the next event happen; false when there is none. */
  step(): boolean {
    const entry = this.#pop();
    if (!entry) return false;
    this.#now = entry.at;
    if (!entry.background) this.#foreground -= 1;
    entry.happen();
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Entry)) child += 1;
      const below = heap[child] as Entry;
      if (!isBefore(below, last)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.lot < other.lot);
}
