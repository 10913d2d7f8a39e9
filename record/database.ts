/** Brings the tables of the customer record to the state this program knows: numbered SQL files, each applied once. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from './types.ts';

/** One numbered SQL file. A released one is never edited; a later number changes what it made. */
export interface Migration {
  /** The file's name without `.sql`: `0001_record`. */
  readonly name: string;
  readonly sql: string;
}

/**
 * Why the database was left as it is.
 * - `database_newer`: a newer Lobby has changed it; this one could harm it.
 * - `migration_changed`: an applied file was edited afterwards, so nobody knows what the tables look like.
 * - `migrations_unusable`: the files themselves are wrong: none, or a number twice.
 */
export class MigrationError extends Error {
  readonly code: 'database_newer' | 'migration_changed' | 'migrations_unusable';

  constructor(code: MigrationError['code'], message: string) {
    super(message);
    this.name = 'MigrationError';
    this.code = code;
  }
}

/** Any number will do, as long as every Lobby that migrates takes the same. */
const migrationLock = 6_071_001;

/** The numbered files of a folder, in order. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file)).sort();
  const numbers = new Set(files.map((file) => file.slice(0, 4)));
  if (files.length === 0) throw new MigrationError('migrations_unusable', `${folder} holds no migration.`);
  if (numbers.size < files.length) {
    throw new MigrationError('migrations_unusable', `${folder} holds two migrations of the same number.`);
  }
  return Promise.all(
    files.map(async (file) => ({ name: file.slice(0, -4), sql: await readFile(join(folder, file), 'utf8') })),
  );
}

/**
 * Applies what the database lacks, in order, each file in one transaction with the row that says so; resolves to the
 * names applied. Safe to run twice and from several processes at once: they take turns. Needs the login that owns the
 * tables, not the role the service works as.
 *
 * @example await migrate(database, await readMigrations(fileURLToPath(new URL('./migrations', import.meta.url))))
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  log: (sentence: string) => void = () => {},
): Promise<string[]> {
  await inTurn(database, async (alone) => {
    await alone.query(
      'create table if not exists migration (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    refuseUnknown(await readApplied(alone), migrations);
  });
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await inTurn(database, (alone) => apply(alone, migration))) {
      applied.push(migration.name);
      log(`The record's tables: applied ${migration.name}.`);
    }
  }
  await inTurn(database, applyGrants);
  return applied;
}

/** Runs `work` while no other process migrates this database. A big table takes its time, so there is no limit on statements. */
function inTurn<Result>(database: Database, work: (alone: Database) => Promise<Result>): Promise<Result> {
  return database.transaction(async (alone) => {
    await alone.query('set local lock_timeout = 0; set local statement_timeout = 0');
    await alone.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    return work(alone);
  });
}

/** False when it was applied before, perhaps by another process a moment ago. */
async function apply(alone: Database, migration: Migration): Promise<boolean> {
  const known = (await readApplied(alone)).some((row) => row.name === migration.name);
  if (known) return false;
  await alone.query(migration.sql);
  await alone.query('insert into migration (name, checksum) values ($1, $2)', [migration.name, checksum(migration)]);
  return true;
}

interface Applied {
  readonly name: string;
  readonly checksum: string;
}

function readApplied(database: Database): Promise<Applied[]> {
  return database.query<Applied>('select name, checksum from migration order by name');
}

function refuseUnknown(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, checksum(migration)]));
  for (const row of applied) {
    if (!known.has(row.name)) {
      throw new MigrationError(
        'database_newer',
        `The database has ${row.name}, which this Lobby does not know; start the newer Lobby, or restore the backup taken before it.`,
      );
    }
    if (known.get(row.name) !== row.checksum) {
      throw new MigrationError(
        'migration_changed',
        `${row.name}.sql was edited after the database applied it; restore the file and put the change into a new number.`,
      );
    }
  }
}

/** Line ends do not count: a checkout may rewrite them. */
export function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n')).digest('hex');
}

/** Grants follow the tables, so they are renewed after every run: see `apply_grants` in `0009_grants.sql`. */
async function applyGrants(alone: Database): Promise<void> {
  const [found] = await alone.query<{ found: boolean }>(
    `select to_regprocedure('apply_grants()') is not null as found`,
  );
  if (found?.found) await alone.query('select apply_grants()');
}
