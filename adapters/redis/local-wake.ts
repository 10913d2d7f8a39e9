/** Wake-ups inside one process: the twin of the Redis ones for a bank that runs a single instance. */

import type { Wake, WakeHint } from '../channel.ts';

/** Hands every hint to every listener, at once. A listener that throws harms nobody else. */
export class LocalWake implements Wake {
  readonly #listeners = new Set<(hint: WakeHint) => void>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  publish(hint: WakeHint): void {
    for (const listener of this.#listeners) {
      try {
        listener(hint);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  subscribe(listener: (hint: WakeHint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
