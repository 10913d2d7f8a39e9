import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineTrouble, type Trouble } from '../../../web/chat/http.ts';
import { type Mine, Outbox } from '../../../web/chat/outbox.ts';
import { Sender } from '../../../web/chat/sender.ts';
import { newStorage, reopen, Timers } from '../support/device.ts';

type Fate = 'taken' | 'taken, answer lost' | Trouble;

class Bank {
  readonly timers = new Timers();
  readonly outbox = new Outbox(reopen(newStorage()), () => undefined);
  /** What the bank has, by the key it came under: a repeat adds nothing. */
  readonly record = new Map<string, string>();
  readonly posts: { readonly key: string; readonly at: number }[] = [];
  readonly fates: Fate[];
  live = true;
  gone = 0;
  readonly sender: Sender;

  constructor(fates: readonly Fate[] = []) {
    this.fates = [...fates];
    this.sender = new Sender(this.outbox, {
      post: (item) => this.#post(item),
      isLive: () => this.live,
      timer: this.timers.timer,
      onGone: () => {
        this.gone += 1;
      },
      onSent: () => undefined,
    });
    this.outbox.open('conv');
  }

  write(...texts: readonly string[]): void {
    for (const text of texts)
      this.outbox.add({ key: text, at: this.timers.now, after: 0, activity: { type: 'message', text } });
    this.sender.wake();
  }

  stateOf(key: string): Mine['state'] | undefined {
    return this.outbox.items.find((item) => item.key === key)?.state;
  }

  async #post({ key, activity }: Mine): Promise<void> {
    this.posts.push({ key, at: this.timers.now });
    const fate = this.fates.shift() ?? 'taken';
    if (fate === 'taken' || fate === 'taken, answer lost') this.record.set(key, activity.text ?? '');
    if (fate === 'taken, answer lost') throw new LineTrouble({ kind: 'network' });
    if (fate !== 'taken') throw new LineTrouble(fate);
  }
}

const network: Trouble = { kind: 'network' };

describe('the sender', () => {
  test('sends one after the other, in the order they were written', async () => {
    const bank = new Bank([network]);
    bank.write('a', 'b', 'c');
    await bank.timers.pass(10_000);
    expect([...bank.record.keys()]).toEqual(['a', 'b', 'c']);
    expect(bank.posts.map(({ key }) => key)).toEqual(['a', 'a', 'b', 'c']);
  });

  test('repeats under the same key when it does not know whether the bank has it', async () => {
    const bank = new Bank(['taken, answer lost']);
    bank.write('a');
    await bank.timers.pass(10_000);
    expect(bank.posts.map(({ key }) => key)).toEqual(['a', 'a']);
    expect(bank.record.size).toBe(1);
    expect(bank.stateOf('a')).toEqual({ is: 'sent' });
  });

  test('says so after four tries while the line is up, goes on with the next, and tries again when asked', async () => {
    const bank = new Bank([network, network, network, network]);
    bank.write('a', 'b');
    await bank.timers.pass(30_000);
    expect(bank.stateOf('a')).toEqual({ is: 'failed', why: 'network' });
    expect([...bank.record.keys()]).toEqual(['b']);
    bank.outbox.mark('a', { is: 'sending' });
    bank.sender.wake();
    await bank.timers.pass(1_000);
    expect(bank.stateOf('a')).toEqual({ is: 'sent' });
  });

  test('never gives up while the line is down: the message waits', async () => {
    const bank = new Bank(Array<Fate>(1_000).fill(network));
    bank.live = false;
    bank.write('a');
    await bank.timers.pass(600_000);
    expect(bank.stateOf('a')).toEqual({ is: 'sending' });
    bank.fates.length = 0;
    bank.live = true;
    bank.sender.wake();
    await bank.timers.pass(1_000);
    expect(bank.stateOf('a')).toEqual({ is: 'sent' });
  });

  test('waits as long as a busy bank asks, and loses nothing', async () => {
    const bank = new Bank([{ kind: 'busy', waitMs: 7_000 }]);
    bank.write('a');
    await bank.timers.pass(6_900);
    expect(bank.posts).toHaveLength(1);
    await bank.timers.pass(200);
    expect(bank.posts.map(({ at }) => at)).toEqual([0, 7_000]);
    expect(bank.stateOf('a')).toEqual({ is: 'sent' });
  });

  test.each([
    [400, 'refused'],
    [413, 'too_large'],
    [415, 'file_type'],
  ])('tells a refusal with %i from one that can be helped', async (status, why) => {
    const bank = new Bank([{ kind: 'refused', status }]);
    bank.write('a');
    await bank.timers.pass(60_000);
    expect(bank.posts).toHaveLength(1);
    expect(bank.stateOf('a')).toEqual({ is: 'failed', why });
  });

  test('lets an event go that the bank refuses: nobody could see that it failed', async () => {
    const bank = new Bank([{ kind: 'refused', status: 400 }]);
    bank.outbox.add({ key: 'e', at: 0, after: 0, activity: { type: 'event', name: 'lobby/language' } });
    bank.sender.wake();
    await bank.timers.pass(100);
    expect(bank.outbox.items).toEqual([]);
  });

  test('asks the line to look when the conversation seems gone', async () => {
    const bank = new Bank([{ kind: 'gone' }]);
    bank.write('a');
    await bank.timers.pass(100);
    expect(bank.gone).toBe(1);
    expect(bank.stateOf('a')).toEqual({ is: 'sending' });
  });

  test('brings every message to the bank exactly once and in order, whatever the network does', async () => {
    const fate = fc.constantFrom<Fate>(
      'taken',
      'taken, answer lost',
      network,
      { kind: 'busy', waitMs: 1_000 },
      { kind: 'expired' },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 20 }), fc.boolean(), async (fates, live) => {
        const bank = new Bank(fates);
        bank.live = live;
        bank.write('a', 'b', 'c', 'd');
        await bank.timers.pass(400_000);
        for (const { key, state } of bank.outbox.items)
          if (state.is === 'failed') bank.outbox.mark(key, { is: 'sending' });
        bank.fates.length = 0;
        bank.live = true;
        bank.sender.wake();
        await bank.timers.pass(400_000);
        expect([...bank.record.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
        expect(bank.outbox.items.every(({ state }) => state.is === 'sent')).toBe(true);
        if (!live) expect([...bank.record.keys()]).toEqual(['a', 'b', 'c', 'd']);
      }),
      { numRuns: 150 },
    );
  });
});
