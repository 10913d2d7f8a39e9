/** Opening the customer record: the bank's PostgreSQL or a private one, brought up to date, and refused where it is not safe. */

import { fileURLToPath } from 'node:url';
import { CodedError } from '../adapters/channel.ts';
import { openDatabase, type PostgresDatabase } from '../adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { migrate, readMigrations } from '../record/database.ts';
import { isDemo } from '../record/demo-data.ts';
import type { Config } from './config.ts';
import type { Ending } from './ending.ts';
import type { Log } from './log.ts';

/** The record, open. */
export interface OpenRecord {
  readonly connectionString: string;
  readonly database: PostgresDatabase;
}

/** Opens the record as the service's own role. Ends, with what it started, by `ending`. */
export async function openRecord(config: Config, log: Log, ending: Ending): Promise<OpenRecord> {
  const connectionString =
    config.storage.databaseUrl ?? (await startPrivatePostgres(config.storage.dataDir, log, ending));
  await migrateRecord(connectionString, log);
  const database = await openDatabase({ connectionString, applicationName: 'lobby', role: 'lobby_app' });
  ending.add(() => database.close());
  if (config.mode === 'production') await refuseForProduction(database);
  return { connectionString, database };
}

/** What only the database can tell. */
async function refuseForProduction(database: PostgresDatabase): Promise<void> {
  if (await isDemo(database)) {
    throw new CodedError(
      'demo_database',
      'This database was loaded as a demo; production needs one of its own. Check DATABASE_URL.',
    );
  }
  const [login] = await database.query<{ almighty: boolean }>(
    'select rolsuper as almighty from pg_roles where rolname = current_user',
  );
  if (login?.almighty) {
    throw new CodedError(
      'database_superuser',
      'Lobby does not work as a superuser of PostgreSQL; give DATABASE_URL a login of its own.',
    );
  }
}

async function startPrivatePostgres(dataDir: string, log: Log, ending: Ending): Promise<string> {
  const server = await startEmbeddedPostgres({
    dataDir,
    log: (sentence) => log.info({ msg_code: 'postgres' }, sentence),
  });
  ending.add(() => server.stop());
  return server.connectionString;
}

/** Migrations run as the login that owns the tables, on a connection of their own. */
async function migrateRecord(connectionString: string, log: Log): Promise<void> {
  const owner = await openDatabase({
    connectionString,
    applicationName: 'lobby-migrations',
    max: 1,
    statementTimeoutMs: 0,
  });
  try {
    const folder = fileURLToPath(new URL('../record/migrations/', import.meta.url));
    await migrate(owner, await readMigrations(folder), (sentence) => log.info({ msg_code: 'migration' }, sentence));
  } finally {
    await owner.close();
  }
}

/** The sender's own pool: it may read what it sends and settle the outbox, and nothing else. */
export async function openSender(connectionString: string, ending: Ending): Promise<PostgresDatabase> {
  const database = await openDatabase({
    connectionString,
    applicationName: 'lobby-sender',
    role: 'lobby_sender',
    max: 2,
  });
  ending.add(() => database.close());
  return database;
}
