import { describe, expect, test } from 'vitest';
import { Outbox } from '../../../web/chat/outbox.ts';
import { newStorage, reopen } from '../support/device.ts';

const message = (text: string) => ({ type: 'message', text }) as const;
const quiet = (): void => undefined;
const textsOf = (outbox: Outbox): (string | undefined)[] => outbox.items.map(({ activity }) => activity.text);

describe('the outbox', () => {
  test('gives back after a reload what was not sent, under the same keys and in the same order', () => {
    const storage = newStorage();
    const before = new Outbox(reopen(storage), quiet);
    before.open('conv');
    for (const [index, text] of ['一', '二', '三'].entries())
      before.add({ key: `k${index}`, at: index, after: 0, activity: message(text) });
    before.mark('k0', { is: 'sent' });
    const after = new Outbox(reopen(storage), quiet);
    after.open('conv');
    expect(after.items.map(({ key, state }) => [key, state.is])).toEqual([
      ['k1', 'sending'],
      ['k2', 'sending'],
    ]);
    expect(textsOf(after)).toEqual(['二', '三']);
  });

  test('gives a failed message back as failed: only the customer sends it again', () => {
    const storage = newStorage();
    const before = new Outbox(reopen(storage), quiet);
    before.open('conv');
    before.add({ key: 'k', at: 1, after: 0, activity: message('x') });
    before.mark('k', { is: 'failed', why: 'refused' });
    const after = new Outbox(reopen(storage), quiet);
    after.open('conv');
    expect(after.items[0]?.state).toEqual({ is: 'failed', why: 'refused' });
    expect(after.head).toBeUndefined();
  });

  test('keeps what was written before the conversation existed, and binds it to the one that begins', () => {
    const storage = newStorage();
    const outbox = new Outbox(reopen(storage), quiet);
    outbox.add({ key: 'early', at: 5, after: 0, activity: message('early') });
    outbox.open('conv');
    const other = new Outbox(reopen(storage), quiet);
    other.open('another');
    expect(other.items).toEqual([]);
    const same = new Outbox(reopen(storage), quiet);
    same.open('conv');
    expect(textsOf(same)).toEqual(['early']);
  });

  test('sends the greeting’s cause before anything typed', () => {
    const outbox = new Outbox(reopen(newStorage()), quiet);
    outbox.add({ key: 'typed', at: 9, after: 0, activity: message('typed') });
    outbox.add({ key: 'join', at: 0, after: 0, activity: { type: 'event', name: 'webchat/join' } });
    expect(outbox.head?.key).toBe('join');
  });

  test('carries messages into the next conversation, but not what only concerned the last', () => {
    const storage = newStorage();
    const outbox = new Outbox(reopen(storage), quiet);
    outbox.open('old');
    outbox.add({ key: 'join', at: 0, after: 0, activity: { type: 'event', name: 'webchat/join' } });
    outbox.add({ key: 'had', at: 1, after: 0, activity: message('had') });
    outbox.mark('had', { is: 'sent' });
    outbox.add({ key: 'unsent', at: 2, after: 0, activity: message('unsent') });
    outbox.carryOver();
    outbox.open('new');
    expect(textsOf(outbox)).toEqual(['unsent']);
    const reopened = new Outbox(reopen(storage), quiet);
    reopened.open('new');
    expect(textsOf(reopened)).toEqual(['unsent']);
  });

  test('keeps no file on the device, and nothing at all after it was emptied', () => {
    const storage = newStorage();
    const outbox = new Outbox(reopen(storage), quiet);
    outbox.open('conv');
    outbox.add({ key: 'file', at: 1, after: 0, activity: { type: 'message' }, file: new File(['x'], 'a.png') });
    expect(storage.length).toBe(0);
    outbox.add({ key: 'k', at: 2, after: 0, activity: message('x') });
    expect(storage.length).toBe(1);
    outbox.empty();
    expect(storage.length).toBe(0);
    expect(outbox.items).toEqual([]);
  });

  test('passes over what another program left under its names', () => {
    const storage = newStorage();
    storage.setItem('lobby.unsent.bad', '{not json');
    const outbox = new Outbox(reopen(storage), quiet);
    outbox.open('conv');
    expect(outbox.items).toEqual([]);
  });
});
