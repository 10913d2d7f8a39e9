/** What PostgreSQL and the record can do without HTTP: commits in one process, over a pool like Lobby's. */

import { randomBytes, randomUUID } from 'node:crypto';
import { fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { migrate, readMigrations } from '../../../record/database.ts';
import type { CommitResult, TurnCommit } from '../../../record/types.ts';
import { answer } from '../ipc.ts';
import { beginNaive, NAIVE_TABLES, naiveTurn } from '../naive-turn.ts';
import type { ServerParts } from '../servers/serve.ts';
import { shippedRecord } from '../shipped.ts';
import { benchState, directLineActivity } from '../turn.ts';
import { countRoundTrips, usage } from '../usage.ts';
import { type Counted, runWindow, type Step, type WindowSize } from '../window.ts';

/** What can be done over and over in this process. */
export type Inside = 'commit-turn' | 'commit-turn-group' | 'commit-naive' | 'commit-one-row' | 'select-1' | 'fdatasync';

export interface InsideOrder extends WindowSize {
  readonly work: Inside;
}

interface Parts {
  readonly record: PostgresDatabase;
  readonly plain: PostgresDatabase;
  readonly pool: pg.Pool;
  readonly redis: Redis;
  readonly folder: string;
}

const ACTIVITY = directLineActivity('What do I do when I have lost my card?');
const PAGE = Buffer.alloc(8_192, 7);
/** As many pages as a WAL segment of PostgreSQL has. */
const PAGES = 2_048;

/** As Lobby runs it: one statement of the lane under way at a time. */
const LANES = 1;
const ZONE = 'Asia/Shanghai';

const { openDatabase, beginThread, commitTurn, commitTurns, CommitLane } = await shippedRecord();

let parts: Parts | undefined;

async function start({ databaseUrl: connectionString, redisUrl, folder }: ServerParts): Promise<void> {
  const owner = await openDatabase({ connectionString, max: 1, statementTimeoutMs: 0 });
  await migrate(owner, await readMigrations(fileURLToPath(new URL('../../../record/migrations/', import.meta.url))));
  await owner.query(NAIVE_TABLES);
  await owner.close();
  parts = {
    record: await openDatabase({ connectionString, role: 'lobby_app' }),
    plain: await openDatabase({ connectionString }),
    pool: new pg.Pool({ connectionString, max: 10 }),
    redis: new Redis(redisUrl),
    folder,
  };
}

async function run({ work, ...size }: InsideOrder): Promise<Counted> {
  if (!parts) throw new Error('This process was not started.');
  return runWindow(size, await stepOf(work, size.clients, parts));
}

async function stepOf(work: Inside, clients: number, { record, plain, pool, redis, folder }: Parts): Promise<Step> {
  switch (work) {
    case 'commit-turn':
      return commitTurnsOf(clients, record, (turn) => commitTurn(record, turn, ZONE));
    case 'commit-turn-group': {
      const lane = new CommitLane(
        (turns) => commitTurns(record, turns, ZONE),
        LANES,
        () => performance.now(),
      );
      return commitTurnsOf(clients, record, (turn) => lane.commit(turn));
    }
    case 'commit-naive': {
      const ids = Array.from({ length: clients }, () => randomUUID());
      await Promise.all(ids.map((id) => beginNaive(pool, id)));
      return settle((client) => naiveTurn(pool, redis, ids[client] ?? '', ACTIVITY));
    }
    case 'commit-one-row': {
      const body = JSON.stringify(ACTIVITY);
      return settle(() => plain.query('insert into one_row (body) values ($1)', [body], 'one_row'));
    }
    case 'select-1':
      return settle(() => plain.query('select 1', [], 'select_1'));
    case 'fdatasync':
      return syncPages(folder);
  }
}

type Commit = (turn: TurnCommit) => Promise<CommitResult>;

/** A conversation for each client, whose turns are committed by `commit`. */
async function commitTurnsOf(clients: number, database: PostgresDatabase, commit: Commit): Promise<Step> {
  const turns = await Promise.all(Array.from({ length: clients }, () => beginTurns(database, commit)));
  return settle((client) => turns[client]?.());
}

/** One conversation's turns, each on the version the last one left: what the gate commits, without the gate. */
async function beginTurns(database: PostgresDatabase, commit: Commit): Promise<() => Promise<void>> {
  const conversationId = randomBytes(16).toString('base64url');
  await beginThread(database, {
    conversationId,
    channel: 'azure',
    threadKey: conversationId,
    account: 'bench',
    externalId: conversationId,
  });
  let seen = 0;
  return async () => {
    const result = await commit({
      conversationId,
      seen,
      epoch: 0,
      key: `az:${conversationId}:${seen}`,
      cause: { direction: 'in', speaker: 'customer', body: { ...ACTIVITY } },
      replies: [1, 2].map((n) => ({ speaker: 'bot', body: { type: 'message', text: `echo ${n}` } })),
      state: { ...benchState(seen) },
      effects: [],
      outbox: { channel: 'azure', route: 'r'.repeat(200), class: 'must' },
      timersSet: [],
    });
    if (result.outcome !== 'ok') throw new Error(`turn_commit said ${result.outcome}.`);
    seen = result.version;
  };
}

function settle(work: (client: number) => Promise<unknown> | undefined): Step {
  return (client, _n, done) => {
    Promise.resolve(work(client)).then(
      () => done(null),
      (error: unknown) => done(String(error)),
    );
  };
}

/** Writes 8 KB and has them put on the disk, one after another, as PostgreSQL's log is written. */
function syncPages(folder: string): Step {
  const file = openSync(join(folder, 'fdatasync'), 'w');
  ftruncateSync(file, PAGES * PAGE.length);
  for (let page = 0; page < PAGES; page += 1) writeSync(file, PAGE, 0, PAGE.length, page * PAGE.length);
  fdatasyncSync(file);
  return (_client, n, done) => {
    writeSync(file, PAGE, 0, PAGE.length, (n % PAGES) * PAGE.length);
    fdatasyncSync(file);
    setImmediate(done, null);
  };
}

countRoundTrips();
answer({ start, run, usage });
