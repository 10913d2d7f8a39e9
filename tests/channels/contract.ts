/** The contract every channel must pass, seen from a customer at one end and the record at the other. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConversation } from '../../record/conversations.ts';
import type { Database } from '../../record/types.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { createEchoBot } from '../support/echo-gate.ts';

/** How a channel is spoken over: one entry in `channels.test.ts`. */
export interface ChannelUnderTest {
  readonly name: string;
  /** A customer who has not said anything yet. */
  open(base: URL): Promise<Customer>;
}

/** One customer on the channel. */
export interface Customer {
  /** Their conversation's id in the record, once they have said something. */
  conversation(database: Database): Promise<string>;
  /** Sends a text; the same key is the same message. Resolves with the HTTP status of the acknowledgement. */
  send(text: string, key: string): Promise<number>;
  /** Sends raw bytes where a message is expected. */
  sendRaw(body: string): Promise<{ readonly status: number; readonly body: unknown }>;
  /** The texts of the bank the customer was shown so far, in order, each once. */
  heard(): Promise<readonly string[]>;
  /** Hangs up. */
  leave(): void;
}

/** Runs the contract for one channel, on the whole service with a bot that echoes. */
export function mustKeepTheContract(channel: ChannelUnderTest): void {
  describe(`the ${channel.name} channel`, () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startTestApp({}, { bot: createEchoBot() });
    });
    afterAll(() => app.close());

    const customers: Customer[] = [];
    afterEach(() => {
      for (const customer of customers.splice(0)) customer.leave();
    });

    const open = async (): Promise<Customer> => {
      const customer = await channel.open(app.base);
      customers.push(customer);
      return customer;
    };
    const recorded = async (customer: Customer): Promise<string[]> => {
      const rows = await readConversation(app.database, await customer.conversation(app.database));
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, index) => index + 1));
      return rows.map(({ body }) => String(body.text));
    };

    it('acknowledges a message when it and its answer are recorded', async () => {
      const customer = await open();
      expect(await customer.send('hello', '1')).toBe(200);
      expect(await recorded(customer)).toEqual(['hello', 'echo: hello']);
    });

    it('shows the customer what the record says, in its order', async () => {
      const customer = await open();
      const said = Array.from({ length: 10 }, (_, index) => `message ${index}`);
      for (const text of said) await customer.send(text, text);
      const answers = said.map((text) => `echo: ${text}`);
      await expect.poll(() => customer.heard(), { timeout: 5000 }).toEqual(answers);
      expect((await recorded(customer)).filter((text) => text.startsWith('echo'))).toEqual(answers);
    });

    it('takes a message that comes again for the one it is', async () => {
      const customer = await open();
      expect(await customer.send('once', 'k')).toBe(200);
      expect(await customer.send('once', 'k')).toBe(200);
      const statuses = await Promise.all(['k', 'k', 'k'].map((key) => customer.send('once', key)));
      expect(statuses).toEqual([200, 200, 200]);
      expect(await recorded(customer)).toEqual(['once', 'echo: once']);
      expect(await customer.heard()).toEqual(['echo: once']);
    });

    it('takes one that comes several times at once for one', async () => {
      const customer = await open();
      await customer.send('first', '0');
      await Promise.all(['k', 'k', 'k', 'k'].map((key) => customer.send('once', key)));
      expect(await recorded(customer)).toEqual(['first', 'echo: first', 'once', 'echo: once']);
    });

    it('keeps customers apart, also when their messages have the same key', async () => {
      const [one, other] = [await open(), await open()];
      await Promise.all([one.send('mine', 'k'), other.send('theirs', 'k')]);
      await expect.poll(() => one.heard()).toEqual(['echo: mine']);
      await expect.poll(() => other.heard()).toEqual(['echo: theirs']);
    });

    it('changes no character', async () => {
      const customer = await open();
      const text = '𠮷野家 🏦👩‍👩‍👧 é "quoted" \\ <b>&amp;</b>\n第二行';
      await customer.send(text, '1');
      expect(await recorded(customer)).toEqual([text, `echo: ${text}`]);
    });

    it('refuses what the record could not keep, with a sentence, and records nothing of it', async () => {
      const customer = await open();
      await customer.send('before', '1');
      for (const [body, status] of [
        ['{"type":"message","text":"a\\u0000b"}', 400],
        ['{"type":"message","text":"\\ud83d"}', 400],
        ['{"type":"mess', 400],
        ['['.repeat(100) + ']'.repeat(100), 400],
        [JSON.stringify({ type: 'message', text: 'x'.repeat(300 * 1024) }), 413],
      ] as const) {
        expect(await customer.sendRaw(body)).toMatchObject({
          status,
          body: { error: { code: expect.any(String), message: expect.stringMatching(/\.$/) } },
        });
      }
      expect(await recorded(customer)).toEqual(['before', 'echo: before']);
    });
  });
}
