/** The promises of one turn, on a real PostgreSQL. */

import { randomBytes } from 'node:crypto';
import { type Activity, ActivityTypes } from 'botbuilder';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CodedError, type Inbound, type WakeHint } from '../../adapters/channel.ts';
import { LocalWake } from '../../adapters/redis/local-wake.ts';
import { createMetrics } from '../../bot/metrics.ts';
import { type BotAnswer, type BotRunner, type TurnGateParts, Turns } from '../../bot/turn.ts';
import { within } from '../../bot/within.ts';
import { beginThread, createTurnRecord, readConversation } from '../../record/conversations.ts';
import { takeDueTimers } from '../../record/timers.ts';
import type { Database, TurnState } from '../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

let scratch: ScratchDatabase;
let database: Database;

beforeAll(async () => {
  scratch = await scratchDatabase();
  database = scratch.database;
});

afterAll(() => scratch.drop());

const conversationId = (): string => randomBytes(17).toString('base64url').slice(0, 22);

/** Counts the bot's turns in its state and says which one this is. */
const counting: BotRunner = {
  run(activity, conversation): Promise<BotAnswer> {
    const turn = Number(conversation.state.turns ?? 0) + 1;
    return Promise.resolve({
      replies: [{ type: ActivityTypes.Message, text: `${turn}: ${activity.text}` }],
      state: { turns: turn },
      effects: [],
    });
  },
  apologise: () => ({ replies: [{ type: ActivityTypes.Message, text: 'sorry' }], state: {}, effects: [] }),
};

const answering = (
  answer: (activity: Partial<Activity>, conversation: TurnState) => Promise<BotAnswer>,
): BotRunner => ({
  ...counting,
  run: answer,
});

function gate({ on = database, ...parts }: Partial<TurnGateParts> & { on?: Database } = {}): Turns {
  return new Turns({
    record: createTurnRecord(on, 'Asia/Shanghai'),
    bot: counting,
    masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_, text) => ({ text, erased: [] }) },
    wake: new LocalWake((error) => {
      throw error;
    }),
    log: silentLog,
    metrics: createMetrics(),
    newId,
    within,
    ...parts,
  });
}

async function webConversation(): Promise<string> {
  const id = conversationId();
  await beginThread(database, {
    conversationId: id,
    channel: 'web',
    threadKey: id,
    account: 'lobby',
    externalId: `dl_${id}`,
  });
  return id;
}

function say(conversation: string, text: string, key = newId(), more: Partial<Inbound> = {}): Inbound {
  return {
    channel: 'web',
    conversationId: conversation,
    key: `web:${conversation}:${key}`,
    activity: { type: ActivityTypes.Message, text },
    delivery: { by: 'stream' },
    ...more,
  };
}

const texts = async (conversation: string): Promise<unknown[]> =>
  (await readConversation(database, conversation)).map(({ body }) => body.text ?? body.name);

const seqs = async (conversation: string): Promise<number[]> =>
  (await readConversation(database, conversation)).map(({ seq }) => seq);

/** Passes statements on and remembers them; `after` may fail one that has run. */
function observed(
  after: (text: string, count: number) => void = () => undefined,
): Database & { readonly statements: string[] } {
  const statements: string[] = [];
  return {
    statements,
    async query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
      statements.push(text);
      const rows = await database.query<Row>(text, values, name);
      after(text, statements.length);
      return rows;
    },
    transaction: () => Promise.reject(new Error('A turn opens no transaction of its own.')),
  };
}

describe('one turn', () => {
  let conversation: string;

  beforeEach(async () => {
    conversation = await webConversation();
  });

  it('records the message and its replies together, in order, and then says so', async () => {
    const hints: WakeHint[] = [];
    const wake = new LocalWake(() => undefined);
    wake.subscribe((hint) => hints.push(hint));
    const outcome = await gate({ wake }).receive(say(conversation, 'hello'));
    expect(outcome.status).toBe('done');
    expect(await texts(conversation)).toEqual(['hello', '1: hello']);
    expect(await seqs(conversation)).toEqual([1, 2]);
    expect(hints).toHaveLength(1);
    expect(hints[0]?.activities).toEqual(await readConversation(database, conversation));
  });

  it('costs two round trips the first time and one in a running conversation', async () => {
    const watched = observed();
    const turns = gate({ on: watched });
    await turns.receive(say(conversation, 'one'));
    expect(watched.statements).toHaveLength(2);
    await turns.receive(say(conversation, 'two'));
    expect(watched.statements).toHaveLength(3);
  });

  it('is one commit', async () => {
    const commits = async (): Promise<number> => {
      const [row] = await database.query<{ ver: number }>('select ver from conversation where id = $1', [conversation]);
      const [tx] = await database.query<{ n: number }>(
        'select count(distinct xmin::text)::int as n from activity where conversation_id = $1',
        [conversation],
      );
      expect(row?.ver).toBe(tx?.n);
      return tx?.n ?? 0;
    };
    const turns = gate();
    await turns.receive(say(conversation, 'one'));
    await turns.receive(say(conversation, 'two'));
    expect(await commits()).toBe(2);
  });

  it('runs once for one key, however often and wherever it comes', async () => {
    const first = gate();
    const second = gate();
    const message = say(conversation, 'pay', 'same');
    const outcomes = await Promise.all([first.receive(message), second.receive(message), first.receive(message)]);
    const again = await second.receive(message);
    expect([...outcomes, again].map(({ status }) => status).toSorted()).toEqual(['done', 'repeat', 'repeat', 'repeat']);
    for (const outcome of [...outcomes, again]) {
      expect('activities' in outcome && outcome.activities.map(({ seq }) => seq)).toEqual([1, 2]);
    }
    expect(await texts(conversation)).toEqual(['pay', '1: pay']);
  });

  it('keeps one order and loses no state when two instances take turns at once', async () => {
    const gates = [gate(), gate(), gate()];
    const outcomes = await Promise.all(
      Array.from({ length: 18 }, (_, n) => retrying(gates[n % 3] as Turns, say(conversation, `m${n}`, `k${n}`))),
    );
    expect(outcomes.every(({ status }) => status === 'done' || status === 'repeat')).toBe(true);
    expect(await seqs(conversation)).toEqual(Array.from({ length: 36 }, (_, n) => n + 1));
    const said = (await texts(conversation))
      .filter((_, n) => n % 2 === 1)
      .map((text) => Number(String(text).split(':')[0]));
    expect(said).toEqual(Array.from({ length: 18 }, (_, n) => n + 1));
  });

  it('serves the messages of one conversation in the order they came', async () => {
    const turns = gate();
    await Promise.all(Array.from({ length: 8 }, (_, n) => turns.receive(say(conversation, `m${n}`))));
    const asked = (await texts(conversation)).filter((_, n) => n % 2 === 0);
    expect(asked).toEqual(Array.from({ length: 8 }, (_, n) => `m${n}`));
  });

  it('refuses the ninth waiting message at the door and records nothing of it', async () => {
    const turns = gate();
    const outcomes = await Promise.all(Array.from({ length: 9 }, (_, n) => turns.receive(say(conversation, `m${n}`))));
    expect(outcomes.map(({ status }) => status)).toEqual([...Array.from({ length: 8 }, () => 'done'), 'busy']);
    expect(await texts(conversation)).not.toContain('m8');
  });

  it('keeps the message of a turn whose bot throws, answers with a sentence, and goes on', async () => {
    let failing = true;
    const bot = answering((activity, state) =>
      failing ? Promise.reject(new Error('boom')) : counting.run(activity, state, []),
    );
    const turns = gate({ bot });
    expect((await turns.receive(say(conversation, 'help'))).status).toBe('done');
    failing = false;
    await turns.receive(say(conversation, 'still there?'));
    expect(await texts(conversation)).toEqual(['help', 'sorry', 'still there?', '1: still there?']);
  });

  it('knows from the key that a commit whose connection was lost had been written', async () => {
    let lost = false;
    const broken = observed((text) => {
      if (lost || !text.includes('turn_commit')) return;
      lost = true;
      throw new CodedError('database_unknown', 'The connection was lost.');
    });
    const outcome = await gate({ on: broken }).receive(say(conversation, 'once'));
    expect(outcome.status).toBe('repeat');
    expect(await texts(conversation)).toEqual(['once', '1: once']);
  });

  it('writes again after a lost connection that had written nothing', async () => {
    let lost = false;
    const broken: Database = {
      ...observed(),
      query: (text, values, name) => {
        if (!lost && text.includes('turn_commit')) {
          lost = true;
          return Promise.reject(new CodedError('database_unknown', 'The connection was lost.'));
        }
        return database.query(text, values, name);
      },
    };
    expect((await gate({ on: broken }).receive(say(conversation, 'twice?'))).status).toBe('done');
    expect(await texts(conversation)).toEqual(['twice?', '1: twice?']);
  });

  it('acknowledges nothing while the record cannot be written', async () => {
    const down: Database = {
      ...observed(),
      query: () => Promise.reject(new CodedError('database_unavailable', 'PostgreSQL does not answer.')),
    };
    expect(await gate({ on: down }).receive(say(conversation, 'lost?'))).toEqual({
      status: 'unavailable',
      retryAfterSeconds: 2,
    });
    expect(await texts(conversation)).toEqual([]);
  });

  it('does not know a conversation that was never begun, nor one that was erased', async () => {
    expect((await gate().receive(say(conversationId(), 'hi'))).status).toBe('unknown_conversation');
    const turns = gate();
    await turns.receive(say(conversation, 'hi'));
    await database.query('update conversation set erased_at = now() where id = $1', [conversation]);
    expect((await turns.receive(say(conversation, 'hello?'))).status).toBe('unknown_conversation');
    expect(await texts(conversation)).toEqual(['hi', '1: hi']);
  });

  it('takes a conversation back from nobody when the customer writes again, under a new epoch', async () => {
    const bot = answering((activity, state) =>
      counting.run(activity, state, []).then((answer) => ({
        ...answer,
        effects: activity.text === 'bye' ? [{ kind: 'conversation.end' as const }] : [],
      })),
    );
    const turns = gate({ bot });
    await turns.receive(say(conversation, 'bye'));
    const owner = async () =>
      (await database.query('select owner, epoch from conversation where id = $1', [conversation]))[0];
    expect(await owner()).toEqual({ owner: 'none', epoch: 1 });
    await turns.receive(say(conversation, 'one more thing'));
    expect(await owner()).toEqual({ owner: 'bot', epoch: 2 });
  });

  it('only records while somebody of the bank holds the conversation, even if they took it during the turn', async () => {
    const bot = answering(async (activity, state) => {
      await database.query(
        `update conversation set owner = 'staff-7', epoch = epoch + 1, ver = ver + 1 where id = $1`,
        [conversation],
      );
      return counting.run(activity, state, []);
    });
    expect((await gate({ bot }).receive(say(conversation, 'anybody?'))).status).toBe('done');
    expect(await texts(conversation)).toEqual(['anybody?']);
  });

  it('gives the case number to the reply, to the record and to the next turn', async () => {
    const seen: (TurnState['openHandoff'] | null)[] = [];
    const bot = answering((_, state) => {
      seen.push(state.openHandoff);
      return Promise.resolve({
        replies: [{ type: ActivityTypes.Message, text: 'Your request is {{person}}.' }],
        state: null,
        effects: [{ kind: 'handoff.request', ref: 'person', code: 'ASKED', priority: 3 }],
      });
    });
    const turns = gate({ bot });
    const [one, two] = [
      await turns.receive(say(conversation, 'human')),
      await turns.receive(say(conversation, 'human!')),
    ];
    const reply = 'activities' in one ? String(one.activities[1]?.body.text) : '';
    expect(reply).toMatch(/^Your request is H\d{8}-\d{6}\.$/);
    expect('activities' in two && two.activities[1]?.body.text).toBe(reply);
    expect((await texts(conversation))[1]).toBe(reply);
    expect(seen[1]?.number).toBe(reply.slice(16, -1));
    const rows = await database.query('select codes, code_seqs::int[] from handoff where conversation_id = $1', [
      conversation,
    ]);
    expect(rows).toEqual([{ codes: ['ASKED', 'ASKED'], code_seqs: [1, 3] }]);
  });
});

describe('an answer that takes long', () => {
  const limits = { answerWithinMs: 30, answerTakeOverMs: 200, giveUpAfterMs: 5_000 };

  it('acknowledges the message first and answers before anything later', async () => {
    const conversation = await webConversation();
    const slow = answering(async (activity, state) => {
      if (activity.text === 'slow') await new Promise((resolve) => setTimeout(resolve, 120));
      return counting.run(activity, state, []);
    });
    const turns = gate({ bot: slow, limits });
    const first = turns.receive(say(conversation, 'slow'));
    const second = turns.receive(say(conversation, 'quick'));
    const acknowledged = await first;
    expect('activities' in acknowledged && acknowledged.activities).toHaveLength(1);
    await second;
    expect(await texts(conversation)).toEqual(['slow', 'lobby/answer', '1: slow', 'quick', '2: quick']);
    const timers = await database.query('select state from timer where conversation_id = $1', [conversation]);
    expect(timers).toEqual([{ state: 'fired' }]);
  });

  it('is given by another instance when the first one died, and only once', async () => {
    const conversation = await webConversation();
    const stuck = answering(() => new Promise(() => undefined));
    await gate({ bot: stuck, limits: { ...limits, giveUpAfterMs: 60_000 } }).receive(say(conversation, 'slow'));
    await new Promise((resolve) => setTimeout(resolve, 250));
    const due = (await takeDueTimers(database, 100)).filter((timer) => timer.conversationId === conversation);
    expect(due).toHaveLength(1);
    const others = [gate(), gate()];
    await Promise.all(others.map((turns) => Promise.all(due.map((timer) => turns.fire(timer)))));
    expect(await texts(conversation)).toEqual(['slow', 'lobby/answer', '1: slow']);
  });

  it('becomes an apology when it never comes', async () => {
    const conversation = await webConversation();
    const turns = gate({
      bot: answering(() => new Promise(() => undefined)),
      limits: { ...limits, giveUpAfterMs: 80 },
    });
    await turns.receive(say(conversation, 'hello?'));
    await turns.close();
    expect(await texts(conversation)).toEqual(['hello?', 'lobby/answer', 'sorry']);
  });
});

describe('first contact on a channel without a start call', () => {
  it('begins one conversation when two instances hear of it at once', async () => {
    const id = conversationId();
    const outbox: Inbound['delivery'] = { by: 'outbox', route: 'sealed' };
    const first = { channel: 'azure' as const, delivery: outbox };
    const outcomes = await Promise.all([
      retrying(gate(), say(id, 'a', 'a', first)),
      retrying(gate(), say(id, 'b', 'b', first)),
      retrying(gate(), say(id, 'a', 'a', first)),
    ]);
    expect(outcomes.filter(({ status }) => status === 'done')).toHaveLength(2);
    expect(await seqs(id)).toEqual([1, 2, 3, 4]);
    const rows = await database.query<{ seq_from: number }>(
      'select seq_from from outbox where conversation_id = $1 order by 1',
      [id],
    );
    expect(rows.map((row) => row.seq_from)).toEqual([2, 4]);
  });
});

/** A client that does what clients do on "try again": the same key once more. */
async function retrying(turns: Turns, message: Inbound): Promise<Awaited<ReturnType<Turns['receive']>>> {
  for (;;) {
    const outcome = await turns.receive(message);
    if (outcome.status !== 'unavailable' && outcome.status !== 'busy') return outcome;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
