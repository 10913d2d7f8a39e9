/** A PostgreSQL of the bank's own for a bank that has none yet: real, durable, private, and there in a second. */

import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { CodedError } from '../channel.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { serverFailed } from './folder-errors.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { findServerHome, type HomeOptions } from './server-home.ts';
import { findServer, freePort, startServer, stopServer } from './server-process.ts';

export interface EmbeddedOptions extends HomeOptions {
  /** Settings of the server besides Lobby's own, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** Lobby's own login and database. It owns its tables and is no superuser. */
  readonly connectionString: string;
  /** True when the server was still running, left behind by a Lobby that was killed. */
  readonly takenOver: boolean;
  /** Ends the server and waits for it. Call it last, after every pool is closed. */
  stop(): Promise<void>;
}

/** How long we look for a server that neither runs nor can be started, before giving up. */
const settleMs = 20_000;
const glanceMs = 50;
const restartPauseMs = 1_000;

/**
 * Starts the private server of a data folder, or takes over the one a killed Lobby left running. While Lobby runs, a
 * server that dies is started again under the same address.
 *
 * Throws a coded error with one sentence: `data_folder_in_use`, `data_folder_full`, `data_folder_not_writable`,
 * `data_folder_foreign`, `data_folder_version`, `data_folder_unreachable`, `database_user_missing`,
 * `database_server_missing`, `database_server_failed`. None of them changes what the folder holds.
 *
 * @example const server = await startEmbeddedPostgres({ dataDir: './data', log: console.log })
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(await findServerHome(options), options.log);
  const settings = options.settings ?? {};
  const running = await runServer(cluster, settings);
  if (running.takenOver) options.log('PostgreSQL was left running by a Lobby that was killed; this one takes it over.');
  const keeper = new ServerKeeper(cluster, running, settings, options.log);
  try {
    await makeDatabase(running.lock.client, cluster);
  } catch (error) {
    await keeper.stop();
    throw serverFailed(cluster.home.folder, (error as Error).message);
  }
  return {
    connectionString: `postgres://lobby:${cluster.password}@127.0.0.1:${running.port}/lobby`,
    takenOver: running.takenOver,
    stop: () => keeper.stop(),
  };
}

interface RunningServer {
  readonly port: number;
  readonly takenOver: boolean;
  readonly lock: FolderLock;
}

/** Finds or starts the server and locks its folder. With `port`, a new server gets that one. */
async function runServer(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
  port?: number,
): Promise<RunningServer> {
  const deadline = Date.now() + settleMs;
  let started = false;
  while (Date.now() < deadline) {
    const found = await findServer(cluster);
    if (found.status === 'ready') {
      const lock = await lockIfUp(cluster, found.port);
      if (lock) return { port: found.port, takenOver: !started, lock };
    }
    if (found.status === 'absent') {
      const start = await startServer(cluster, port ?? (await freePort()), settings);
      if (start === 'ready') {
        started = true;
        continue;
      }
    }
    await pause(glanceMs);
  }
  throw new CodedError(
    'database_server_failed',
    `The private PostgreSQL in ${cluster.home.folder} neither runs nor starts; look into its server.log.`,
  );
}

/** Null when the server went away or is going away: look again. */
async function lockIfUp(cluster: Cluster, port: number): Promise<FolderLock | null> {
  try {
    return await lockFolder(cluster, port);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (error instanceof pg.DatabaseError && !['57P01', '57P03'].includes(error.code ?? '')) {
      throw new CodedError(
        'database_server_failed',
        `The private PostgreSQL in ${cluster.home.folder} refuses its own administrator: ${error.message}.`,
        { cause: error },
      );
    }
    return null;
  }
}

/** Lobby's own login and database, which a start that was killed may not have reached. */
async function makeDatabase(client: pg.Client, cluster: Cluster): Promise<void> {
  const { rows } = await client.query<{ login: boolean; database: boolean }>(
    `select exists (select from pg_roles where rolname = 'lobby') as login,
            exists (select from pg_database where datname = 'lobby') as database`,
  );
  if (!rows[0]?.login) await client.query(`create role lobby login createdb createrole password '${cluster.password}'`);
  if (!rows[0]?.database) await client.query('create database lobby owner lobby');
}

/** Keeps the server up and its folder locked until told to stop. */
class ServerKeeper {
  readonly #cluster: Cluster;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #log: (sentence: string) => void;
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #running: RunningServer;
  #stopped: Promise<void> | undefined;

  constructor(
    cluster: Cluster,
    running: RunningServer,
    settings: Readonly<Record<string, string>>,
    log: (sentence: string) => void,
  ) {
    this.#cluster = cluster;
    this.#running = running;
    this.#settings = settings;
    this.#log = log;
    this.#watching = this.#watch();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The lock is given up by the server's end, never before: nobody may take over a server that is about to go. */
  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (!(await stopServer(this.#cluster))) {
      this.#log('PostgreSQL is still ending; the next Lobby waits for it.');
      return;
    }
    await this.#watching;
    // A restart that was under way may have brought it up once more.
    await stopServer(this.#cluster);
    await this.#running.lock.client.end();
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#running.lock.lost;
      if (this.#stopping.signal.aborted) return;
      this.#log('PostgreSQL went away; starting it again.');
      await this.#restart();
      if (this.#stopping.signal.aborted) return;
      this.#log('PostgreSQL is back.');
    }
  }

  async #restart(): Promise<void> {
    let said = '';
    while (!this.#stopping.signal.aborted) {
      try {
        this.#running = await runServer(this.#cluster, this.#settings, this.#running.port);
        return;
      } catch (error) {
        const sentence = (error as Error).message;
        if (sentence !== said) this.#log(sentence);
        said = sentence;
        await pause(restartPauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
  }
}
