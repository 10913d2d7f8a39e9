/** The Bot Framework's storage for one turn: reads the dialog state the turn began with, keeps what it changes for the turn's commit. */

import type { Storage, StoreItems } from 'botbuilder';

/** Larger dialog state is refused: a dialog that keeps so much is broken, and a person takes over. */
export const LARGEST_STATE_BYTES = 32 * 1024;

type StateMap = Readonly<Record<string, unknown>>;

/**
 * One turn's {@link Storage}. `write` only remembers; nothing reaches the record before the commit, and everything does then.
 * Only conversation state is allowed: what belongs to the customer belongs to the customer record.
 */
export class TurnStorage implements Storage {
  readonly #loaded: StateMap;
  readonly #allowed: string;
  #pending: Record<string, unknown> | null = null;

  constructor(loaded: StateMap, channelId: string, conversationId: string) {
    this.#loaded = loaded;
    this.#allowed = `${channelId}/conversations/${conversationId}/`;
  }

  /** The state after the turn, equal to its JSON round trip; null when the turn wrote none. */
  get pending(): StateMap | null {
    return this.#pending;
  }

  read(keys: string[]): Promise<StoreItems> {
    const items: StoreItems = {};
    for (const key of keys) {
      this.#check(key);
      const value = (this.#pending ?? this.#loaded)[STORED_AS];
      if (value !== undefined) items[key] = structuredClone(value);
    }
    return Promise.resolve(items);
  }

  write(changes: StoreItems): Promise<void> {
    for (const [key, value] of Object.entries(changes)) {
      this.#check(key);
      const { eTag: _, ...kept } = value as Record<string, unknown>;
      const json = JSON.stringify(kept);
      if (Buffer.byteLength(json) > LARGEST_STATE_BYTES) throw new Error('The dialog state has outgrown its limit.');
      this.#pending = { ...(this.#pending ?? this.#loaded), [STORED_AS]: JSON.parse(json) as unknown };
    }
    return Promise.resolve();
  }

  delete(keys: string[]): Promise<void> {
    for (const key of keys) {
      this.#check(key);
      const { [STORED_AS]: _, ...rest } = this.#pending ?? this.#loaded;
      this.#pending = rest;
    }
    return Promise.resolve();
  }

  #check(key: string): void {
    if (key !== this.#allowed) {
      throw new Error(
        'Only conversation state is kept by a turn; what belongs to the customer goes to the customer record.',
      );
    }
  }
}

/** The record keeps conversation state under one short name: its storage key would only repeat the conversation's id. */
export const STORED_AS = 'conversation';

/** The state with every dialog put down, everything else kept. What a failing turn leaves behind. */
export function withoutDialogs(state: StateMap, dialogProperty: string): StateMap {
  const kept = state[STORED_AS];
  if (typeof kept !== 'object' || kept === null) return state;
  const { [dialogProperty]: _, ...rest } = kept as Record<string, unknown>;
  return { ...state, [STORED_AS]: rest };
}
