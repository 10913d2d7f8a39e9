import { beforeEach, expect, it } from 'vitest';
import { MOST_REPEATS, Repeats } from '../../../adapters/directline/repeats.ts';
import type { RecordedActivity } from '../../../record/types.ts';

let now: number;
let repeats: Repeats;

beforeEach(() => {
  now = 0;
  repeats = new Repeats(() => new Date(now));
});

const row = (conversationId: string, seq: number) => ({ conversationId, seq }) as RecordedActivity;
const note = (seq: number, clientActivityID: string, conversationId = 'c') =>
  repeats.note({ row: row(conversationId, seq), clientActivityID });
const waiting = (conversationId = 'c') => repeats.of(conversationId).map(({ clientActivityID }) => clientActivityID);

it('are kept for their conversation, in the order they came', () => {
  note(1, 'a');
  note(3, 'b');
  note(1, 'other', 'd');
  expect(waiting()).toEqual(['a', 'b']);
  expect(waiting('d')).toEqual(['other']);
  expect(waiting('e')).toEqual([]);
});

it('are kept once however often they come', () => {
  note(1, 'a');
  note(1, 'a');
  expect(waiting()).toEqual(['a']);
});

it('are kept as long as the official client waits', () => {
  note(1, 'a');
  now = 299_999;
  expect(waiting()).toEqual(['a']);
  now = 300_000;
  expect(waiting()).toEqual([]);
});

it('are kept up to a number', () => {
  for (let index = 0; index <= MOST_REPEATS; index += 1) note(1, `try ${index}`);
  expect(waiting()).toHaveLength(MOST_REPEATS);
  expect(waiting()[0]).toBe('try 1');
});

it('are polled once, and only for rows the client has; a socket gets them all the same', () => {
  note(1, 'a');
  note(5, 'b');
  expect(repeats.poll('c', 4)).toMatchObject([{ clientActivityID: 'a' }]);
  expect(repeats.poll('c', 4)).toEqual([]);
  expect(repeats.poll('c', 5)).toMatchObject([{ clientActivityID: 'b' }]);
  expect(waiting()).toEqual(['a', 'b']);
});
