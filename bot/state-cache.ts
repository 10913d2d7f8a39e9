/** What this process last knew of each conversation, so that a turn in a running conversation needs no read. */

import type { TurnState } from '../record/types.ts';

/** The conversations spoken in most recently. Never the truth: a commit on a stale one is refused and runs again. */
export class StateCache {
  readonly #most: number;
  readonly #states = new Map<string, TurnState>();

  constructor(most: number) {
    this.#most = most;
  }

  get(conversationId: string): TurnState | undefined {
    return this.#states.get(conversationId);
  }

  put(state: TurnState): void {
    this.#states.delete(state.conversationId);
    this.#states.set(state.conversationId, state);
    if (this.#states.size <= this.#most) return;
    const oldest = this.#states.keys().next();
    if (!oldest.done) this.#states.delete(oldest.value);
  }

  forget(conversationId: string): void {
    this.#states.delete(conversationId);
  }
}
