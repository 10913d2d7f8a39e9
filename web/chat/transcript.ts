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
  readonly state?: MineState;
}

/** Adds what arrived: by id once, in the order of the record. */
export function withReceived(known: readonly Received[], arrived: readonly Received[]): readonly Received[] {
  const byId = new Map(known.map((item) => [item.id, item]));
  for (const item of arrived) if (!byId.has(item.id)) byId.set(item.id, item);
  if (byId.size === known.length) return known;
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

export function entriesOf(received: readonly Received[], mine: readonly Mine[]): readonly Entry[] {
  const recorded = received.filter(isShown).map(toEntry);
  const keys = new Set(received.map(({ key }) => key));
  const unrecorded = mine
    .filter(({ key, activity }) => activity.type === 'message' && !keys.has(key))
    .map(toUnrecorded);
  return [...recorded, ...unrecorded];
}

/** The answers offered now: those of the bank's last word, until the customer speaks. */
export function offeredBy(received: readonly Received[], mine: readonly Mine[]): readonly Suggestion[] {
  const last = received.filter(isShown).at(-1);
  if (!last || last.speaker === 'customer') return [];
  const keys = new Set(received.map(({ key }) => key));
  return mine.some(({ key, activity }) => activity.type === 'message' && !keys.has(key)) ? [] : last.suggestions;
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

function toUnrecorded({ key, at, activity, file, state }: Mine): Entry {
  return { key, speaker: 'customer', at, text: activity.text ?? '', files: file ? [{ name: file.name }] : [], state };
}
