/** What several instances do to one database at once. Each race takes a second or two and leaves a record to be audited. */

import { randomUUID } from 'node:crypto';
import { CodedError, type TurnOutcome } from '../../../adapters/channel.ts';
import { deliverOnce } from '../../../bot/delivery.ts';
import type { BotRunner } from '../../../bot/turn.ts';
import { commitTurn, commitTurns, loadTurn } from '../../../record/conversations.ts';
import type { CommitResult, Database, TimerRow, TurnCommit } from '../../../record/types.ts';
import { silentLog } from '../../support/log.ts';
import { silentMetrics } from '../simulation/silent.ts';
import { type Bank, type Cursor, type Race, sleep, ZONE } from './bank.ts';

/** Customers begin by speaking, to two instances at once. */
const firstContact: Race = async (bank) => {
  const begun = Array.from({ length: 12 }, () => bank.newId());
  await Promise.all(
    begun.flatMap((id) =>
      ['a', 'b', 'a', 'c'].map(async (key, n) => {
        const gate = bank.gates[n % bank.gates.length];
        const outcome = await bank.say(gate, id, key, { channel: 'azure', delivery: { by: 'outbox', route: id } });
        expectTaken(bank, outcome);
      }),
    ),
  );
};

/** One conversation on three instances. */
const oneConversation: Race = async (bank) => {
  const ids = await bank.beginAll(2);
  const messages = Array.from({ length: 36 }, (_, n) => n);
  await Promise.all(
    messages.map(async (n) => expectTaken(bank, await bank.say(bank.gates[n % 3], ids[n % 2] ?? '', `m${n}`))),
  );
  for (const id of ids) await expectMessages(bank, id, messages.length / ids.length);
};

/** The same message to every instance, twice at once and once more afterwards. */
const duplicateKeys: Race = async (bank) => {
  const id = await bank.begin();
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    const gates = [...bank.gates, ...bank.gates];
    const outcomes = await Promise.all(gates.map((gate) => bank.say(gate, id, key)));
    for (const gate of bank.gates) outcomes.push(await bank.say(gate, id, key));
    const seqs = new Set(outcomes.map((outcome) => ('activities' in outcome ? outcome.activities[0]?.seq : undefined)));
    if (seqs.size !== 1) bank.violated('A repeat was answered with another id.');
    if (outcomes.filter(({ status }) => status === 'done').length !== 1) bank.violated('A message was not taken once.');
  }
  await expectMessages(bank, id, 8);
};

/** Staff take over while the bot thinks; then a second one from the first, who does not know it yet. */
const takeOver: Race = async (bank) => {
  const ids = await bank.beginAll(12);
  const [, , desk] = bank.databases;
  if (!desk) return;
  await Promise.all(
    ids.map(async (id) => {
      const messages = Array.from({ length: 5 }, (_, n) => bank.say(bank.gates[n % 2], id, `m${n}`));
      await sleep(bank.random.between(0, 6));
      const first = await deskCommits(desk, id, 'one', { owner: 'staff-1' });
      await sleep(bank.random.between(0, 3));
      const second = await deskCommits(desk, id, 'two', { owner: 'staff-2' });
      if (first.outcome !== 'ok' || second.outcome !== 'ok') return bank.violated('Staff could not take over.');
      const said = await deskCommits(desk, id, 'late', {
        epoch: first.epoch,
        replies: [
          { speaker: 'staff', body: { type: 'message', text: 'I am still here', value: { staff: 'staff-1' } } },
        ],
      });
      if (said.outcome !== 'not_owner') bank.violated('Staff spoke in a conversation that was not their own.');
      await Promise.all(messages);
      const rows = await desk.query(
        `select from activity where conversation_id = $1 and speaker = 'bot' and seq > $2 limit 1`,
        [id, first.causeSeq],
      );
      if (rows.length > 0) bank.violated('The bot spoke in a conversation that was not its own.');
      await expectMessages(bank, id, messages.length);
    }),
  );
};

const WRITERS = 12;
const TURNS_OF_A_WRITER = 15;

/** Somebody follows all conversations while twelve write: no row may ever come behind the watermark. */
const watermark: Race = async (bank) => {
  const ids = await bank.beginAll(6);
  const [first, second, reading] = bank.databases;
  if (!first || !second || !reading) return;
  const cursor = (bank.spoil.cursor ?? (() => bySeq(ids)))();
  const read = new Set<string>();
  let writing = true;
  const reader = async (): Promise<void> => {
    for (let last = false; !last; ) {
      last = !writing;
      for (const { conversation, seq } of await patiently(() => cursor(reading))) read.add(`${conversation}/${seq}`);
    }
  };
  const write = async (writer: number): Promise<void> => {
    const database = writer % 2 === 0 ? first : second;
    for (let n = 0; n < TURNS_OF_A_WRITER; n += 1) await writeSlowly(bank, database, ids[writer % ids.length] ?? '');
  };
  const reads = reader();
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  writing = false;
  await reads;
  const rows = await reading.query<{ conversation: string; seq: number }>(
    'select conversation_id as conversation, seq from activity',
  );
  if (rows.length !== WRITERS * TURNS_OF_A_WRITER) bank.violated('Not every turn was written.');
  const missed = rows.filter(({ conversation, seq }) => !read.has(`${conversation}/${seq}`));
  if (missed.length > 0) bank.violated('A reader never saw a row.');
};

/** A turn whose transaction stays open for a moment, as one on a slow disk does. */
async function writeSlowly(bank: Bank, database: Database, id: string): Promise<void> {
  for (;;) {
    const loaded = await patiently(() => loadTurn(database, id, ''));
    if (loaded.found !== 'conversation') return;
    const turn = { ...emptyTurn(id, randomUUID()), seen: loaded.turn.version, epoch: loaded.turn.epoch };
    const written = await patiently(() =>
      database.transaction(async (transaction) => {
        const result = await commitTurn(transaction, turn, ZONE);
        await transaction.query('select pg_sleep($1)', [bank.random.next() / 200]);
        return result;
      }),
    );
    if (written.outcome === 'ok') return;
  }
}

/** Each conversation by its own seq: the only watermark there is. */
function bySeq(ids: readonly string[]): Cursor {
  const marks = new Map(ids.map((id) => [id, 0]));
  return async (database) => {
    const rows = await database.query<{ conversation: string; seq: number }>(
      `select a.conversation_id as conversation, a.seq from unnest($1::text[], $2::bigint[]) mark (id, seq)
         join activity a on a.conversation_id = mark.id and a.seq > mark.seq order by a.seq`,
      [[...marks.keys()], [...marks.values()]],
    );
    for (const { conversation, seq } of rows) marks.set(conversation, seq);
    return rows;
  };
}

/** Several senders empty one outbox: each message leaves once, after those before it. */
const senders: Race = async (bank) => {
  const ids = await bank.beginAll(10);
  const [database] = bank.databases;
  if (!database) return;
  const replies = ['one', 'two', 'three', 'four'].map((text) => ({
    speaker: 'bot' as const,
    body: { type: 'message', text },
  }));
  const outbox = { channel: 'azure', route: 'there', class: 'must' } as const;
  await commitTurns(
    database,
    ids.map((id) => ({ ...emptyTurn(id, randomUUID()), replies, outbox })),
    ZONE,
  );
  await database.query(`update conversation set channel = 'azure'`);
  const arrived = new Map<string, number[]>();
  const send = async ({ activities }: { activities: readonly { conversationId: string; seq: number }[] }) => {
    await sleep(bank.random.between(0, 3));
    for (const { conversationId, seq } of activities) {
      arrived.set(conversationId, [...(arrived.get(conversationId) ?? []), seq]);
    }
    return { wireId: null };
  };
  const parts = {
    senders: [{ channel: 'azure' as const, send }],
    newId: randomUUID,
    random: () => 0,
    log: silentLog,
    metrics: silentMetrics,
    pollMs: 0,
  };
  const empty = async (of: Database): Promise<void> => {
    for (;;) {
      await patiently(() => deliverOnce({ ...parts, database: of }));
      const open = await of.query(`select from outbox where state in ('ready', 'leased') limit 1`);
      if (open.length === 0) return;
    }
  };
  await Promise.all([...bank.databases, ...bank.databases].map(empty));
  for (const id of ids) {
    const seqs = arrived.get(id) ?? [];
    if (seqs.join() !== [2, 3, 4, 5].join()) bank.violated('Messages left twice, or out of order.');
  }
};

/** Messages whose instance died before it answered: every other instance rings for them at once. */
const timers: Race = async (bank) => {
  const ids = await bank.beginAll(10);
  const [database] = bank.databases;
  if (!database) return;
  const silent: BotRunner = {
    run: () => new Promise(() => undefined),
    apologise: () => ({ replies: [], state: null, effects: [] }),
  };
  const limits = { answerWithinMs: 1, answerTakeOverMs: 0, giveUpAfterMs: 3_600_000 };
  const died = bank.openGate(database, { bot: silent, limits });
  await Promise.all(ids.map((id) => bank.say(died, id, 'slow')));
  const due = await database.query<TimerRow>(
    `select id, kind, conversation_id as "conversationId", subject, due, payload from timer where state = 'waiting'`,
  );
  const ringers = [...bank.gates, ...bank.gates];
  await Promise.all(ringers.flatMap((gate) => due.map((timer) => gate.fire(timer))));
  await Promise.all(bank.gates.map((gate) => gate.close()));
  const answers = await database.query<{ n: number }>(
    `select count(*)::int as n from activity where direction = 'out' group by conversation_id`,
  );
  if (answers.length !== ids.length || answers.some(({ n }) => n !== 1))
    bank.violated('A message was not answered once.');
  const waiting = await database.query(`select from timer where state = 'waiting' limit 1`);
  if (waiting.length > 0) bank.violated('A timer never fired.');
};

/** Batches over the same conversations, each in an order of its own. */
const batches: Race = async (bank) => {
  const ids = await bank.beginAll(64);
  for (let round = 0; round < 10; round += 1) {
    const batch = async (database: Database): Promise<void> => {
      const order = ids.map((id) => ({ id, lot: bank.random.next() })).toSorted((one, other) => one.lot - other.lot);
      const turns = order.map(({ id }) => ({ ...emptyTurn(id, randomUUID()), seen: round }));
      await commitTurns(database, turns, ZONE).catch(() => undefined);
    };
    await Promise.all([...bank.databases, ...bank.databases].map(batch));
  }
  for (const id of ids) await expectMessages(bank, id, 10);
};

/** All of them, by name. */
export const races: Readonly<Record<string, Race>> = {
  'first contact': firstContact,
  'one conversation on three instances': oneConversation,
  'the same key everywhere at once': duplicateKeys,
  'take-over against the bot’s answer': takeOver,
  'a reader beside twelve writers': watermark,
  'one outbox, several senders': senders,
  'one timer, several pollers': timers,
  'batches that meet': batches,
};

function emptyTurn(conversationId: string, key: string): TurnCommit {
  return {
    conversationId,
    seen: 0,
    epoch: 0,
    key,
    cause: { direction: 'in', speaker: 'customer', body: { type: 'message', text: 'hello' } },
    replies: [],
    state: null,
    effects: [],
    outbox: null,
    timersSet: [],
  };
}

/** A turn of the desk: again on whatever the conversation is now, under the same key, until it is known what became of it. */
async function deskCommits(
  database: Database,
  id: string,
  what: string,
  more: Partial<TurnCommit>,
): Promise<CommitResult> {
  const key = `desk:${id}:${what}`;
  const cause = { direction: 'event', speaker: 'staff', body: { type: 'event', name: what } } as const;
  for (;;) {
    const loaded = await patiently(() => loadTurn(database, id, key));
    if (loaded.found !== 'conversation') return { outcome: 'gone' };
    const { version: seen, epoch } = loaded.turn;
    const turn = { ...emptyTurn(id, key), cause, seen, epoch, ...more };
    const result = await patiently(() => commitTurn(database, turn, ZONE));
    if (result.outcome !== 'conflict') return result;
  }
}

/** On a busy machine the database may keep somebody waiting too long; certainly nothing was done, so once more. */
async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'database_unknown') throw error;
    }
  }
}

function expectTaken(bank: Bank, { status }: TurnOutcome): void {
  if (status !== 'done' && status !== 'repeat') bank.violated(`A message was not taken: ${status}.`);
}

async function expectMessages(bank: Bank, id: string, count: number): Promise<void> {
  const rows = await bank.databases[0]?.query(`select from activity where conversation_id = $1 and direction = 'in'`, [
    id,
  ]);
  if (rows?.length !== count) bank.violated('There are not as many messages recorded as were written.');
}
