/** Gives the whole run one real PostgreSQL, and in it a migrated database to copy. */

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../adapters/postgres/embedded.ts';
import { migrate, readMigrations } from '../../record/database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A login that may create databases. */
    databaseUrl: string;
    /** The migrated database that `scratchDatabase` copies. */
    databaseTemplate: string;
  }
}

/** A machine that runs many suites at once is slow to connect; that is no outage. */
const PATIENT_MS = 30_000;

const migrations = fileURLToPath(new URL('../../record/migrations', import.meta.url));

interface Run {
  readonly connectionString: string;
  readonly template: string;
  end(): Promise<void>;
}

/** Vitest calls a set-up that is inherited once for each of its projects, each time as a fresh module: they share one run. */
const shared = globalThis as { lobbyTestRun?: { run: Promise<Run>; users: number } };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.lobbyTestRun ??= { run: begin(), users: 0 };
  const { lobbyTestRun } = shared;
  lobbyTestRun.users += 1;
  const { connectionString, template, end } = await lobbyTestRun.run;
  project.provide('databaseUrl', connectionString);
  project.provide('databaseTemplate', template);
  return async () => {
    lobbyTestRun.users -= 1;
    if (lobbyTestRun.users === 0) await end();
  };
}

async function begin(): Promise<Run> {
  const { connectionString, stop } = await findServer();
  const prefix = `lobby_test_${process.pid}_${Date.now().toString(36)}_`;
  const template = `${prefix}template`;
  await makeTemplate(connectionString, template);
  const end = async () => {
    await dropAll(connectionString, prefix);
    await stop();
  };
  return { connectionString, template, end };
}

async function findServer(): Promise<{ connectionString: string; stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { connectionString: given, stop: async () => {} };
  const own = join(
    tmpdir(),
    `lobby-test-${userInfo().uid}-${createHash('sha256').update(migrations).digest('hex').slice(0, 8)}`,
  );
  try {
    const server = await start(own).catch(async (error: { code?: string }) => {
      if (error.code !== 'database_server_failed') throw error;
      await rm(own, { recursive: true, force: true });
      return start(own);
    });
    await dropAll(server.connectionString, 'lobby_test_');
    return server;
  } catch (error) {
    if ((error as { code?: string }).code !== 'data_folder_in_use') throw error;
    return startBesides();
  }
}

/**
 * The folder is kept from run to run: a server that a killed run left behind is taken over instead of piling up. What it
 * holds is thrown away, so it need not survive the machine; tests of durability start servers of their own.
 */
function start(dataDir: string): Promise<EmbeddedPostgres> {
  const settings = { max_connections: '300', fsync: 'off', full_page_writes: 'off' };
  return startEmbeddedPostgres({ dataDir, log: () => {}, settings });
}

/** A second run at the same time gets a folder of its own, removed at its end. */
async function startBesides(): Promise<{ connectionString: string; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'lobby-test-'));
  const server = await start(dataDir);
  return {
    connectionString: server.connectionString,
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeTemplate(connectionString: string, name: string): Promise<void> {
  const administration = await openDatabase({
    connectionString,
    max: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: PATIENT_MS,
  });
  try {
    await administration.query(`create database ${name}`);
  } finally {
    await administration.close();
  }
  const url = new URL(connectionString);
  url.pathname = `/${name}`;
  const template = await openDatabase({
    connectionString: url.href,
    max: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: PATIENT_MS,
  });
  try {
    await migrate(template, await readMigrations(migrations));
  } finally {
    await template.close();
  }
}

/** What this run made, or what killed runs left. */
async function dropAll(connectionString: string, prefix: string): Promise<void> {
  const administration = await openDatabase({
    connectionString,
    max: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: PATIENT_MS,
  });
  try {
    const rows = await administration.query<{ name: string }>(
      'select datname as name from pg_database where starts_with(datname, $1)',
      [prefix],
    );
    for (const { name } of rows) await administration.query(`drop database if exists ${name} with (force)`);
  } finally {
    await administration.close();
  }
}
