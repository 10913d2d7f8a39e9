/** How far the customer has read: keeps the newest in view without taking away what they are reading. */

import { signal } from '@preact/signals';
import type { Entry } from './transcript.ts';

/** Nearer to the end than this counts as at the end. */
const NEAR_PX = 48;
const MARGIN_PX = 16;

export class Reading {
  readonly atEnd = signal(true);
  readonly unread = signal(0);
  /** The bubble above which "new messages" is written. */
  readonly newFrom = signal<string | undefined>(undefined);
  #box: HTMLElement | null = null;
  #known = new Set<string>();
  #arrived: readonly Entry[] = [];

  watch(box: HTMLElement | null): void {
    this.#box = box;
  }

  /** Takes note of what is about to be drawn. `attentive`: the page is before the customer's eyes. */
  expect(entries: readonly Entry[], attentive: boolean): void {
    const arrived = entries.filter(({ key }) => !this.#known.has(key));
    this.#known = new Set(entries.map(({ key }) => key));
    this.#arrived = [...this.#arrived, ...arrived];
    if (arrived.some(isCustomers)) this.#startOver();
    else if (arrived.length > 0 && !(attentive && this.atEnd.value)) this.#addUnread(arrived);
  }

  /** Call when it is drawn. A long answer is shown from its beginning, an old conversation from its end. */
  follow(isHistory: boolean): void {
    const box = this.#box;
    const arrived = this.#arrived;
    const [first] = arrived;
    this.#arrived = [];
    if (!box || !first || !(this.atEnd.value || arrived.some(isCustomers))) return;
    const from = isHistory || arrived.every(isCustomers) ? box.scrollHeight : topOf(box, first.key) - MARGIN_PX;
    box.scrollTop = Math.min(box.scrollHeight, from);
    this.look();
  }

  toEnd(): void {
    if (this.#box) this.#box.scrollTop = this.#box.scrollHeight;
    this.look();
  }

  /** Something grew or shrank, as when a keyboard opens. */
  keepEnd(): void {
    if (this.atEnd.value) this.toEnd();
  }

  /** Finds out where the customer is, after scrolling. */
  look(): void {
    const box = this.#box;
    if (box) this.atEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
  }

  /** The last row of the bank's whose beginning is in view. */
  lastSeen(): number {
    const box = this.#box;
    if (!box) return 0;
    const bottom = box.getBoundingClientRect().bottom - MARGIN_PX;
    const rows = [...box.querySelectorAll<HTMLElement>('[data-from="bank"]')];
    const seen = rows.filter((row) => row.getBoundingClientRect().top < bottom).at(-1);
    return Number(seen?.dataset.seq ?? 0);
  }

  #startOver(): void {
    this.unread.value = 0;
    this.newFrom.value = undefined;
  }

  #addUnread(arrived: readonly Entry[]): void {
    if (this.unread.value === 0) this.newFrom.value = arrived[0]?.key;
    this.unread.value += arrived.length;
  }
}

function isCustomers({ speaker }: Entry): boolean {
  return speaker === 'customer';
}

function topOf(box: HTMLElement, key: string): number {
  const row = box.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!row) return box.scrollHeight;
  return row.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
}
