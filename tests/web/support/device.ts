/** A device to keep things on, and a clock that moves when told to. */

import type { DeviceStorage, Keep } from '../../../web/shared/keep.ts';
import { keepOnDevice } from '../../../web/shared/keep.ts';

export function newStorage(): DeviceStorage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** What a reload leaves: the storage, and nothing that was in memory. */
export function reopen(storage: DeviceStorage): Keep {
  return keepOnDevice(() => storage);
}

interface Waiting {
  readonly at: number;
  readonly work: () => void;
}

export class Timers {
  now = 0;
  #waiting: Waiting[] = [];

  readonly timer = (ms: number, work: () => void): (() => void) => {
    const entry: Waiting = { at: this.now + ms, work };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  };

  /** Lets `ms` pass; what falls due runs in its order, and what it sets off may fall due too. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.now = next.at;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      next.work();
      await settle();
    }
    this.now = end;
  }

  #due(end: number): Waiting | undefined {
    return this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
