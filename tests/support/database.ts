/** Scratch databases on the run's real PostgreSQL: each test has its own, and none sees another's rows. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { inject } from 'vitest';
import { type DatabaseSettings, openDatabase, type PostgresDatabase } from '../../adapters/postgres/database.ts';

/** A machine that runs many suites at once is slow to connect; that is no outage. */
const PATIENT_MS = 30_000;

export interface ScratchDatabase {
  /** Connected as the owner of the tables; see `as` for a role of least privilege. */
  readonly database: PostgresDatabase;
  readonly connectionString: string;
  /** Opens one more pool on it, closed by `drop`. */
  open(settings?: Partial<DatabaseSettings>): Promise<PostgresDatabase>;
  /** Closes every pool and removes the database. */
  drop(): Promise<void>;
}

/**
 * A database with every migration applied and no rows.
 *
 * @example
 * const scratch = await scratchDatabase();
 * afterAll(() => scratch.drop());
 */
export function scratchDatabase(): Promise<ScratchDatabase> {
  return make(`template ${inject('databaseTemplate')}`);
}

/** A database without any table. */
export function emptyDatabase(): Promise<ScratchDatabase> {
  return make('');
}

async function make(options: string): Promise<ScratchDatabase> {
  const server = inject('databaseUrl');
  const prefix = inject('databaseTemplate').replace(/template$/, '');
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name} ${options}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const pools: PostgresDatabase[] = [];
  const open = async (settings: Partial<DatabaseSettings> = {}) => {
    const pool = await openDatabase({ connectionString: url.href, max: 5, connectTimeoutMs: PATIENT_MS, ...settings });
    pools.push(pool);
    return pool;
  };
  return {
    database: await open(),
    connectionString: url.href,
    open,
    drop: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await dropPatiently(server, name);
    },
  };
}

/** The server's own cleaner may be at work in a big database, and no login but a superuser may send it away (42501). */
async function dropPatiently(server: string, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await administer(server, `drop database if exists ${name} with (force)`);
    } catch (error) {
      if ((error as { code?: string }).code !== '42501' || attempt === 20) throw error;
      await pause(250);
    }
  }
}

async function administer(connectionString: string, statement: string): Promise<void> {
  const administration = await openDatabase({
    connectionString,
    max: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: PATIENT_MS,
  });
  try {
    await administration.query(statement);
  } finally {
    await administration.close();
  }
}
