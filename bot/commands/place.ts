/** The database a command works on: the bank's own, or the private one, which is started for the moment when no Lobby runs it. */

import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../../adapters/postgres/embedded.ts';
import { visitEmbeddedPostgres } from '../../adapters/postgres/visit.ts';
import { type Migration, readMigrations } from '../../record/database.ts';
import type { Tools } from './command.ts';

export interface Place {
  readonly connectionString: string;
  /** For people: where it is, without its password. */
  readonly name: string;
  /** True for the private PostgreSQL. */
  readonly embedded: boolean;
}

/**
 * Where the record is, and for what.
 * - `look`: beside a running Lobby or without one.
 * - `leave`: no Lobby may run on it.
 * - `fill`: as `leave`, and where no private PostgreSQL is yet, one is made.
 */
export type Purpose = 'look' | 'leave' | 'fill';

/** Does `work` at the record that the settings name. */
export async function atRecord<Result>(
  { config, say }: Pick<Tools, 'config' | 'say'>,
  purpose: Purpose,
  work: (place: Place) => Promise<Result>,
): Promise<Result> {
  const { databaseUrl, dataDir } = config.storage;
  if (databaseUrl !== undefined) return work(placeOf(databaseUrl));
  const options = { dataDir, log: say };
  const server =
    purpose === 'fill'
      ? await startEmbeddedPostgres(options).then(({ connectionString, stop }) => ({ connectionString, leave: stop }))
      : await visitEmbeddedPostgres({ ...options, alone: purpose === 'leave' });
  try {
    return await work({
      connectionString: server.connectionString,
      name: `the private PostgreSQL in ${dataDir}`,
      embedded: true,
    });
  } finally {
    await server.leave();
  }
}

/** A database of the bank's own. */
export function placeOf(databaseUrl: string): Place {
  const { host, pathname } = new URL(databaseUrl);
  return { connectionString: databaseUrl, name: `the PostgreSQL at ${host}${pathname}`, embedded: false };
}

/** Every migration this program knows. */
export function knownMigrations(): Promise<Migration[]> {
  return readMigrations(fileURLToPath(new URL('../../record/migrations/', import.meta.url)));
}
