/** What the customer sees, in order: the bank's record first, then what is still on its way. Nothing twice. */

import type { Received, SentFile, Speaker, Suggestion } from './activity.ts';
import type { Mine, MineState } from './outbox.ts';

/** One bubble. */
export interface Entry {
  /** The same from the moment it is typed, so that a bubble never jumps or blinks when the bank confirms it. */
  readonly key: string;
  /** Absent until the bank has recorded it. */
  readonly seq?: number;
  readonly speaker: Speaker;
  readonly at: number;
  readonly text: string;
  readonly files: readonly SentFile[];
  readonly state?: EntryState;
}

/** `waiting`: the line is down; it will be sent when it is back. */
export type EntryState = MineState | { readonly is: 'waiting' };

/** Adds what arrived: by id once, in the order of the record. */
export function withReceived(known: readonly Received[], arrived: readonly Received[]): readonly Received[] {
  const byId = new Map(known.map((item) => [item.id, item]));
  for (const item of arrived) if (!byId.has(item.id)) byId.set(item.id, item);
  if (byId.size === known.length) return known;
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

/** What failed stays where it was written; what is still to be sent comes last, where the bank will record it. */
export function entriesOf(received: readonly Received[], mine: readonly Mine[], isLive: boolean): readonly Entry[] {
  const unrecorded = unrecordedOf(received, mine);
  const failed = unrecorded.filter(({ state }) => state.is === 'failed');
  const coming = unrecorded.filter(({ state }) => state.is !== 'failed');
  const placed = [...received.filter(isShown).map(toEntry)];
  for (const item of failed) placed.splice(placeAfter(placed, item.after), 0, toUnrecorded(item, isLive));
  return [...placed, ...coming.map((item) => toUnrecorded(item, isLive))];
}

/** Behind the row, and behind what else failed there. */
function placeAfter(entries: readonly Entry[], seq: number): number {
  const next = entries.findIndex((entry) => entry.seq !== undefined && entry.seq > seq);
  return next === -1 ? entries.length : next;
}

function unrecordedOf(received: readonly Received[], mine: readonly Mine[]): readonly Mine[] {
  const keys = new Set(received.map(({ key }) => key));
  return mine.filter(({ key, activity }) => activity.type === 'message' && !keys.has(key));
}

/** The answers offered now: those of the bank's last word, until the customer speaks. */
export function offeredBy(received: readonly Received[], mine: readonly Mine[]): readonly Suggestion[] {
  const last = received.filter(isShown).at(-1);
  if (!last || last.speaker === 'customer') return [];
  const coming = unrecordedOf(received, mine).filter(({ state }) => state.is !== 'failed');
  return coming.length > 0 ? [] : last.suggestions;
}

export function hasEnded(received: readonly Received[]): boolean {
  return received.some(({ kind }) => kind === 'end');
}

function isShown(item: Received): boolean {
  return item.kind === 'message' && (item.text !== '' || item.files.length > 0);
}

function toEntry({ key, seq, speaker, at, text, files }: Received): Entry {
  return { key, seq, speaker, at, text, files };
}

function toUnrecorded({ key, at, activity, file, state }: Mine, isLive: boolean): Entry {
  return {
    key,
    speaker: 'customer',
    at,
    text: activity.text ?? '',
    files: file ? [{ name: file.name }] : [],
    state: state.is === 'sending' && !isLive ? { is: 'waiting' } : state,
  };
}
