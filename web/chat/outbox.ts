/** What the customer wrote and the bank has not confirmed yet. Survives a reload; each message keeps one key for life, so nothing doubles. */

import type { Keep } from '../shared/keep.ts';
import type { Outgoing } from './activity.ts';

export type Failure = 'network' | 'too_large' | 'file_type' | 'refused';

export type MineState =
  | { readonly is: 'sending' }
  | { readonly is: 'sent' }
  | { readonly is: 'failed'; readonly why: Failure };

/** Something of the customer's on its way to the bank. */
export interface Mine {
  readonly key: string;
  readonly at: number;
  /** The last row the customer had before them when they wrote it. */
  readonly after: number;
  readonly activity: Outgoing;
  /** Files live in memory only: a device may not keep them. */
  readonly file?: File;
  readonly state: MineState;
}

interface Kept {
  readonly conversation: string | null;
  readonly at: number;
  readonly after: number;
  readonly activity: Outgoing;
  readonly why?: Failure;
}

const PREFIX = 'lobby.unsent.';

export class Outbox {
  readonly #keep: Keep;
  readonly #changed: () => void;
  #conversation: string | null = null;
  #items: readonly Mine[] = [];

  constructor(keep: Keep, changed: () => void) {
    this.#keep = keep;
    this.#changed = changed;
  }

  get items(): readonly Mine[] {
    return this.#items;
  }

  /** The one to send now: order is kept, what failed is passed over. */
  get head(): Mine | undefined {
    return this.#items.find(({ state }) => state.is === 'sending');
  }

  /** Binds what was written before the conversation existed to it, and takes back what an earlier page left unsent. */
  open(conversation: string): void {
    this.#conversation = conversation;
    const known = new Set(this.#items.map(({ key }) => key));
    const left = this.#keep.keys(PREFIX).flatMap((name) => this.#restore(name));
    for (const item of this.#items) this.#store(item);
    this.#set([...left.filter(({ key }) => !known.has(key)), ...this.#items].sort((a, b) => a.at - b.at));
  }

  /** The conversation is gone: what it did not take goes into the next one. */
  carryOver(): void {
    this.#conversation = null;
    this.#set(this.#items.filter(({ activity, state }) => activity.type === 'message' && state.is !== 'sent'));
    for (const item of this.#items) this.#store(item);
  }

  /** Forgets everything unsent. */
  empty(): void {
    for (const { key } of this.#items) this.#keep.remove(PREFIX + key);
    this.#conversation = null;
    this.#set([]);
  }

  add(item: Omit<Mine, 'state'>): void {
    const mine: Mine = { ...item, state: { is: 'sending' } };
    this.#store(mine);
    this.#set([...this.#items, mine].sort((a, b) => a.at - b.at));
  }

  mark(key: string, state: MineState): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...item, state } : item)));
    const marked = this.#items.find((item) => item.key === key);
    if (marked) this.#store(marked);
  }

  remove(key: string): void {
    this.#keep.remove(PREFIX + key);
    this.#set(this.#items.filter((item) => item.key !== key));
  }

  #set(items: readonly Mine[]): void {
    this.#items = items;
    this.#changed();
  }

  #store({ key, at, after, activity, file, state }: Mine): void {
    if (file || state.is === 'sent') {
      this.#keep.remove(PREFIX + key);
      return;
    }
    const kept: Kept = {
      conversation: this.#conversation,
      at,
      after,
      activity,
      ...(state.is === 'failed' && { why: state.why }),
    };
    this.#keep.set(PREFIX + key, JSON.stringify(kept));
  }

  #restore(name: string): Mine[] {
    const kept = readKept(this.#keep.get(name));
    if (!kept || (kept.conversation !== null && kept.conversation !== this.#conversation)) return [];
    const state: MineState = kept.why ? { is: 'failed', why: kept.why } : { is: 'sending' };
    const { at, after, activity } = kept;
    return [{ key: name.slice(PREFIX.length), at, after, activity, state }];
  }
}

function readKept(json: string | null): Kept | undefined {
  try {
    return json === null ? undefined : (JSON.parse(json) as Kept);
  } catch {
    return undefined;
  }
}
