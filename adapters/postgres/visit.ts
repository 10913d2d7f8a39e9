/** A way into the private PostgreSQL for an operator's command: beside the Lobby that runs it, or alone when none does. */

import { readdir, stat } from 'node:fs/promises';
import { CodedError } from '../channel.ts';
import { openCluster } from './cluster.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { findServerHome, type HomeOptions } from './server-home.ts';
import { findServer } from './server-process.ts';

export interface Visit {
  readonly connectionString: string;
  /** True when the server is another's, and stays. */
  readonly beside: boolean;
  /** Ends the server if it was started for this visit. Call it last. */
  leave(): Promise<void>;
}

export interface VisitOptions extends HomeOptions {
  /** True refuses while a Lobby runs, by `data_folder_in_use`. */
  readonly alone: boolean;
}

/**
 * Goes to the private server of a data folder, starting it when nobody runs it. Throws `data_folder_absent` where no Lobby
 * has kept anything, and whatever a start throws.
 */
export async function visitEmbeddedPostgres(options: VisitOptions): Promise<Visit> {
  await refuseAbsent(options);
  try {
    const server = await startEmbeddedPostgres(options);
    return { connectionString: server.connectionString, beside: false, leave: () => server.stop() };
  } catch (error) {
    if (options.alone || !(error instanceof CodedError && error.code === 'data_folder_in_use')) throw error;
    return besideAnother(options, error);
  }
}

/** The server another Lobby runs. When that has just ended, its refusal is the answer. */
async function besideAnother(options: VisitOptions, refusal: CodedError): Promise<Visit> {
  const cluster = await openCluster(await findServerHome({ ...options, log: () => {} }), () => {});
  const server = await findServer(cluster);
  if (server.status !== 'ready') throw refusal;
  return {
    connectionString: `postgres://lobby:${cluster.password}@127.0.0.1:${server.port}/lobby`,
    beside: true,
    leave: () => Promise.resolve(),
  };
}

/** A visit makes nothing: a mistyped folder must not become an empty record. */
async function refuseAbsent(options: VisitOptions): Promise<void> {
  if ((await stat(options.dataDir).catch(() => null))?.isDirectory()) {
    const { folder } = await findServerHome({ ...options, log: () => {} });
    if (await holdsSomething(folder)) return;
  }
  throw new CodedError(
    'data_folder_absent',
    `There is no database of Lobby in ${options.dataDir}; check DATA_DIR, or set DATABASE_URL.`,
  );
}

/** What may not be read is there: the start says so. */
async function holdsSomething(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
