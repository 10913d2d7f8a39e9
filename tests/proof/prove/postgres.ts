/** The PostgreSQL of a run: Lobby's own private server, durable, killed like everything else and brought back by its keeper. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { migrate, readMigrations } from '../../../record/database.ts';

export interface ProvenPostgres {
  readonly port: number;
  /** What decides whether a commit is on the disk. */
  readonly durability: string;
  /** Makes a database, empty or a copy of another, and gives its address, without any proxy. */
  makeDatabase(name: string, template?: string): Promise<string>;
  dropDatabase(name: string): Promise<void>;
  /** `kill -9` of the server itself. False when it is not running just now. */
  kill(): Promise<boolean>;
  /** Resolves when it answers. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it with no setting changed but the number of connections. */
export async function startPostgres(folder: string): Promise<ProvenPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    log: () => undefined,
    settings: { max_connections: '200' },
  });
  const url = new URL(server.connectionString);
  const ask = <Row extends object>(text: string): Promise<Row[]> =>
    once(url.href, (database) => database.query<Row>(text));
  const [row] = await ask<{ durability: string }>(
    `select format('fsync %s, synchronous_commit %s, full_page_writes %s', current_setting('fsync'),
                   current_setting('synchronous_commit'), current_setting('full_page_writes')) as durability`,
  );
  return {
    port: Number(url.port),
    durability: row?.durability ?? 'unknown',
    async makeDatabase(name, template = 'template1') {
      await ask(`create database ${name} template ${template}`);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    async dropDatabase(name) {
      await ask(`drop database ${name} with (force)`);
    },
    kill: () => killPostmaster(folder),
    async up() {
      while (!(await ask('select 1').catch(() => null))) await pause(100);
    },
    stop: () => server.stop(),
  };
}

/** Gives a database the tables of the record. */
export async function migrateRecord(connectionString: string): Promise<void> {
  const folder = fileURLToPath(new URL('../../../record/migrations', import.meta.url));
  const migrations = await readMigrations(folder);
  await once(connectionString, (owner) => migrate(owner, migrations));
}

async function killPostmaster(folder: string): Promise<boolean> {
  const file = join(folder, 'postgres', 'cluster', 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 1)) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** On a connection of its own: the server may have been killed since the last one. */
async function once<Result>(
  connectionString: string,
  work: (database: PostgresDatabase) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase({ connectionString, max: 1, statementTimeoutMs: 0 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
