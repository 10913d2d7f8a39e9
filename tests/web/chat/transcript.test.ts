import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Received } from '../../../web/chat/activity.ts';
import type { Mine } from '../../../web/chat/outbox.ts';
import { entriesOf, hasEnded, offeredBy, withReceived } from '../../../web/chat/transcript.ts';

function row(seq: number, change: Partial<Received> = {}): Received {
  const plain = {
    id: `c|${seq}`,
    seq,
    kind: 'message',
    speaker: 'bot',
    at: seq,
    text: `#${seq}`,
    files: [],
    suggestions: [],
  } as const;
  return { ...plain, key: change.key ?? plain.id, ...change };
}

function mine(key: string, change: Partial<Mine> = {}): Mine {
  return { key, at: 1, after: 0, activity: { type: 'message', text: key }, state: { is: 'sending' }, ...change };
}

describe('the transcript', () => {
  test('is in the order of the record, each row once, however it arrives', () => {
    const rows = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 8 });
    const batches = fc.array(fc.array(fc.integer({ min: 1, max: 8 })));
    fc.assert(
      fc.property(rows, batches, (order, repeats) => {
        let known: readonly Received[] = [];
        for (const seqs of [...repeats, order, ...repeats])
          known = withReceived(
            known,
            seqs.map((seq) => row(seq)),
          );
        expect(known.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      }),
    );
  });

  test('is left as it is when nothing new arrives', () => {
    const known = [row(1), row(2)];
    expect(withReceived(known, [row(2)])).toBe(known);
  });

  test('keeps a bubble as it is when its row comes once more under the key of a repeat', () => {
    const known = withReceived([], [row(1, { speaker: 'customer', key: 'first' })]);
    expect(withReceived(known, [row(1, { speaker: 'customer', key: 'repeat' }), row(2)])[0]?.key).toBe('first');
  });

  test('shows what is on its way after what the bank has, and the bank’s own words for it once it has it', () => {
    const typed = mine('k', { activity: { type: 'message', text: '卡号 6222020000000000000' } });
    expect(entriesOf([row(1)], [typed], true).map(({ key, text }) => [key, text])).toEqual([
      ['c|1', '#1'],
      ['k', '卡号 6222020000000000000'],
    ]);
    const masked = row(2, { speaker: 'customer', key: 'k', text: '卡号 6222 **** 0000' });
    expect(entriesOf([row(1), masked], [typed], true).map(({ key, text, state }) => [key, text, state])).toEqual([
      ['c|1', '#1', undefined],
      ['k', '卡号 6222 **** 0000', undefined],
    ]);
  });

  test('leaves a message that failed where it was written, and puts it last again when it is retried', () => {
    const rows = [row(1), row(2), row(3)];
    const failed = mine('failed', { after: 1, state: { is: 'failed', why: 'network' } });
    const keysOf = (items: readonly Mine[]): string[] => entriesOf(rows, items, true).map(({ key }) => key);
    expect(keysOf([failed, mine('new', { after: 3 })])).toEqual(['c|1', 'failed', 'c|2', 'c|3', 'new']);
    expect(keysOf([{ ...failed, state: { is: 'sending' } }])).toEqual(['c|1', 'c|2', 'c|3', 'failed']);
    expect(keysOf([failed, { ...failed, key: 'second' }])).toEqual(['c|1', 'failed', 'second', 'c|2', 'c|3']);
  });

  test('tells what is on its way from what waits for the line, and leaves what failed as failed', () => {
    const items = [
      mine('a'),
      mine('b', { state: { is: 'failed', why: 'network' } }),
      mine('c', { state: { is: 'sent' } }),
    ];
    const statesOf = (isLive: boolean): (string | undefined)[] =>
      entriesOf([], items, isLive).map(({ state }) => state?.is);
    expect(statesOf(true)).toEqual(['failed', 'sending', 'sent']);
    expect(statesOf(false)).toEqual(['failed', 'waiting', 'sent']);
  });

  test('shows no events, no typing and nothing empty', () => {
    const rows = [row(1, { kind: 'other' }), row(2, { kind: 'typing' }), row(3, { text: '' }), row(4, { kind: 'end' })];
    expect(entriesOf(rows, [mine('e', { activity: { type: 'event', name: 'webchat/join' } })], true)).toEqual([]);
  });

  test('shows a message that is only a file', () => {
    expect(entriesOf([row(1, { text: '', files: [{ name: 'a.png' }] })], [], true)).toHaveLength(1);
  });

  test('offers the answers of the bank’s last word only, and none once the customer has spoken', () => {
    const suggestions = [{ kind: 'say', title: '是', text: '是' }] as const;
    const asked = [row(1, { suggestions: [{ kind: 'say', title: '旧', text: '旧' }] }), row(2, { suggestions })];
    expect(offeredBy(asked, [])).toEqual(suggestions);
    expect(offeredBy([...asked, row(3, { kind: 'other' })], [])).toEqual(suggestions);
    expect(offeredBy(asked, [mine('k')])).toEqual([]);
    expect(offeredBy([...asked, row(3, { speaker: 'customer' })], [])).toEqual([]);
    expect(offeredBy(asked, [mine('e', { activity: { type: 'event', name: 'lobby/language' } })])).toEqual(suggestions);
  });

  test('has ended when the record says so', () => {
    expect(hasEnded([row(1)])).toBe(false);
    expect(hasEnded([row(1), row(2, { kind: 'end' })])).toBe(true);
  });
});
