/** Several instances of the turn engine on one real PostgreSQL, where races are real; and where a defect can be planted. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CodedError, type Inbound, type TurnOutcome } from '../../../adapters/channel.ts';
import { LocalWake } from '../../../adapters/redis/local-wake.ts';
import { CommitLane } from '../../../bot/commit-lane.ts';
import { type BotRunner, type TurnLimits, Turns } from '../../../bot/turn.ts';
import { within } from '../../../bot/within.ts';
import { beginThread, commitTurns, createTurnRecord } from '../../../record/conversations.ts';
import type { Database, TurnRecord } from '../../../record/types.ts';
import { silentLog } from '../../support/log.ts';
import { checkCounter, checkOrder } from '../simulation/invariants.ts';
import type { ModelRow } from '../simulation/model-record.ts';
import { Random } from '../simulation/random.ts';
import { silentMetrics } from '../simulation/silent.ts';

export const ZONE = 'Asia/Shanghai';

/** Exactly one place of a text, and what stands there instead. */
export type Change = readonly [from: string, to: string];

/** A defect planted into the database or into what speaks to it. Absent parts are the real ones. */
export interface Spoil {
  /** In `turn_commits`, as the migration writes it. */
  readonly turnCommits?: readonly Change[];
  /** In a statement the program sends. */
  readonly statement?: Change;
  /** Under which turns are committed. */
  readonly isolation?: 'repeatable read';
  /** Run on the database before anybody connects. */
  readonly statements?: readonly string[];
  /** Between the gate and the record. */
  readonly turnRecord?: (real: TurnRecord) => TurnRecord;
  /** Reads what is new to somebody who follows every conversation. */
  readonly cursor?: () => Cursor;
}

/** Reads rows that were not read before, by some watermark of its own. */
export type Cursor = (
  database: Database,
) => Promise<readonly { readonly conversation: string; readonly seq: number }[]>;

/** A database made for one race and thrown away after it. */
export interface Scratch {
  readonly database: Database;
  open(settings?: { readonly max?: number }): Promise<Database>;
  drop(): Promise<void>;
}

/** A race: does what several instances do at once, and says what must not be. */
export type Race = (bank: Bank) => Promise<void>;

/** Runs a race on a database of its own, to its end or to the first broken promise. Returns what was violated, as sentences. */
export async function run(race: Race, scratch: Scratch, spoil: Spoil = {}): Promise<readonly string[]> {
  try {
    await plant(scratch.database, spoil);
    const pools = await Promise.all([1, 2, 3].map(() => scratch.open({ max: 4 })));
    const bank = new Bank(scratch.database, pools, spoil);
    const racing = race(bank).then(() => bank.audit());
    try {
      await Promise.race([racing, bank.broken]);
    } finally {
      bank.stop();
      await racing.catch(() => undefined);
    }
    return [...new Set(bank.violations)];
  } finally {
    await scratch.drop();
  }
}

/** Who is refused for so long will never be taken. */
const REFUSED_FOR_EVER_MS = 10_000;

const LIMITS: Partial<TurnLimits> = { perConversation: 100, reruns: 20 };

export class Bank {
  readonly violations: string[] = [];
  readonly random = new Random(1);
  /** One pool an instance. */
  readonly databases: readonly Database[];
  readonly gates: readonly Turns[];
  readonly spoil: Spoil;
  /** Resolves with the first violation. */
  readonly broken: Promise<void>;
  readonly #owner: Database;
  #break: () => void = () => undefined;
  #stopped = false;
  #count = 0;

  constructor(owner: Database, pools: readonly Database[], spoil: Spoil) {
    this.#owner = owner;
    this.spoil = spoil;
    this.broken = new Promise((resolve) => {
      this.#break = resolve;
    });
    this.databases = pools.map((pool) => this.#watched(pool));
    this.gates = this.databases.map((database) => this.openGate(database));
  }

  violated(sentence: string): void {
    if (!this.#stopped) this.violations.push(sentence);
    this.#break();
  }

  /** Whoever still runs gets no further statement through. */
  stop(): void {
    this.#stopped = true;
  }

  openGate(database: Database, more: { readonly bot?: BotRunner; readonly limits?: Partial<TurnLimits> } = {}): Turns {
    const lane = new CommitLane(
      (turns) => commitTurns(database, turns, ZONE),
      1,
      () => performance.now(),
    );
    const record = { ...createTurnRecord(database, ZONE), commit: lane.commit.bind(lane) };
    return new Turns({
      record: this.spoil.turnRecord?.(record) ?? record,
      bot: more.bot ?? this.#countingBot(),
      masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_, text) => ({ text, erased: [] }) },
      wake: new LocalWake((error) => this.violated(`A listener failed: ${String(error)}`)),
      log: silentLog,
      metrics: silentMetrics,
      newId: randomUUID,
      within,
      limits: { ...LIMITS, ...more.limits },
    });
  }

  /** A conversation nobody has spoken in; `spoken` leaves its beginning to the first message. */
  newId(): string {
    this.#count += 1;
    return `conversation-${String(this.#count).padStart(9, '0')}`;
  }

  async begin(): Promise<string> {
    const conversationId = this.newId();
    const thread = { conversationId, channel: 'web', threadKey: conversationId };
    await beginThread(this.#owner, { ...thread, account: 'race', externalId: conversationId });
    return conversationId;
  }

  beginAll(count: number): Promise<readonly string[]> {
    return Promise.all(Array.from({ length: count }, () => this.begin()));
  }

  /** Says something and says it again under the same key until it is taken. */
  async say(
    gate: Turns | undefined,
    conversationId: string,
    key: string,
    more: Partial<Inbound> = {},
  ): Promise<TurnOutcome> {
    const began = performance.now();
    while (!this.#stopped && performance.now() - began < REFUSED_FOR_EVER_MS) {
      const outcome = await gate?.receive({
        channel: 'web',
        conversationId,
        key: `${conversationId}:${key}`,
        activity: { type: 'message', text: key },
        delivery: { by: 'stream' },
        ...more,
      });
      if (outcome && outcome.status !== 'busy' && outcome.status !== 'unavailable') return outcome;
      await sleep(2);
    }
    this.violated('A message was refused for ever.');
    return { status: 'unavailable', retryAfterSeconds: 1 };
  }

  /** What must be true of the record whatever ran. */
  async audit(): Promise<void> {
    const check = (holds: boolean, sentence: string): void => {
      if (!holds) this.violated(sentence);
    };
    const conversations = await this.#owner.query<{
      id: string;
      version: number;
      seq: number;
      state: Record<string, unknown>;
    }>('select id, ver as version, seq, state from conversation');
    const rows = await this.#owner.query<ModelRow & { readonly conversation: string }>(
      'select conversation_id as conversation, seq, turn, direction, speaker, epoch, dkey as key, body from activity order by conversation_id, seq',
    );
    for (const { id, ...conversation } of conversations) {
      const own = rows.filter((row) => row.conversation === id);
      checkOrder({ ...conversation, rows: own }, check);
      checkCounter({ ...conversation, rows: own }, check);
    }
    const keys = rows.flatMap(({ key }) => (key === null ? [] : [key]));
    check(new Set(keys).size === keys.length, 'A key has two turns.');
    const [uncovered] = await this.#owner.query(
      `select from outbox o full join (
         select a.conversation_id, a.seq from activity a
           join conversation c on c.id = a.conversation_id
          where a.direction = 'out' and c.channel = 'azure') a
         on a.conversation_id = o.conversation_id and a.seq between o.seq_from and o.seq_to
       where o.id is null or a.seq is null limit 1`,
    );
    check(uncovered === undefined, 'The outbox does not cover each pushed row once.');
  }

  #countingBot(): BotRunner {
    return {
      run: async (_, { state }) => {
        await sleep(this.random.between(0, 3));
        const nth = Number(state.answers ?? 0) + 1;
        return {
          replies: [{ type: 'message', text: `answer ${nth}`, value: { nth } }],
          state: { answers: nth },
          effects: [],
        };
      },
      apologise: () => ({ replies: [{ type: 'message', text: 'sorry' }], state: null, effects: [] }),
    };
  }

  /** Notices every statement the database refuses: expected cases are answers, never errors. */
  #watched(database: Database): Database {
    const { statement, isolation } = this.spoil;
    const watch = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (this.#stopped) throw new Error('The race is over.');
      try {
        return await work();
      } catch (error) {
        const code = String((error as { code?: unknown }).code);
        if (!(error instanceof CodedError)) this.violated(`The database refused a statement (${code}).`);
        throw error;
      }
    };
    const isolated = (text: string, values: readonly unknown[] | undefined): Promise<never[]> =>
      database.transaction(async (transaction) => {
        await transaction.query(`set transaction isolation level ${isolation}`);
        return transaction.query(text, values);
      });
    return {
      query: (text, values, name) => {
        if (isolation && text.includes('turn_commits')) return watch(() => isolated(text, values));
        if (statement && text.includes(statement[0]))
          return watch(() => database.query(replaceOnce(text, statement), values));
        return watch(() => database.query(text, values, name));
      },
      transaction: (work) => watch(() => database.transaction(work)),
    };
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function plant(database: Database, { turnCommits, statements = [] }: Spoil): Promise<void> {
  for (const statement of statements) await database.query(statement);
  if (turnCommits) await database.query(turnCommits.reduce(replaceOnce, readTurnCommits()));
}

function readTurnCommits(): string {
  const migration = readFileSync(new URL('../../../record/migrations/0002_turn.sql', import.meta.url), 'utf8');
  const begins = migration.indexOf('create function turn_commits(');
  if (begins < 0) throw new Error('The migration has no turn_commits.');
  return migration.slice(begins).replace('create function', 'create or replace function');
}

/** Fails unless the text is there, once: a defect that is not planted would seem to be survived. */
function replaceOnce(text: string, [from, to]: Change): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`Not found once, but ${parts.length - 1} times: ${from}`);
  return parts.join(to);
}
