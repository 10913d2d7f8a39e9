/** The PostgreSQL of one run: Lobby's own private server in a fresh folder, with a database for each process that needs one. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import type { Children } from '../children.ts';

export interface PostgresServer {
  /** Of the process whose children serve the connections. */
  readonly pid: number;
  readonly version: string;
  /** What decides whether a commit is on the disk. */
  readonly durability: string;
  /** Makes an empty database and gives its address. */
  makeDatabase(name: string): Promise<string>;
  /** How many transactions have written since the server was made. Reading it writes nothing. */
  commits(): Promise<number>;
  /** Takes the dead rows of the last repeat away, so that the next one starts alike. */
  vacuum(): Promise<void>;
}

/** Room for the pools of everything that is measured at once. */
const CONNECTIONS = '300';

/** Starts the server as `npm start` does, with no other setting changed than the number of connections. */
export async function startPostgres(children: Children, folder: string): Promise<PostgresServer> {
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    log: () => undefined,
    settings: { max_connections: CONNECTIONS },
  });
  children.atEnd(() => server.stop());
  const client = await connect(server.connectionString);
  const { rows } = await client.query<{ version: string; durability: string }>(
    `select current_setting('server_version') as version,
            format('fsync %s, synchronous_commit %s, full_page_writes %s', current_setting('fsync'),
                   current_setting('synchronous_commit'), current_setting('full_page_writes')) as durability`,
  );
  const databases: pg.Client[] = [];
  return {
    pid: await postmasterIn(folder),
    version: rows[0]?.version ?? 'unknown',
    durability: rows[0]?.durability ?? 'unknown',
    async makeDatabase(name) {
      await client.query(`create database ${pg.escapeIdentifier(name)}`);
      const url = Object.assign(new URL(server.connectionString), { pathname: `/${name}` }).href;
      databases.push(await connect(url));
      return url;
    },
    async commits() {
      const { rows: counts } = await client.query<{ next: string }>(
        'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
      );
      return Number(counts[0]?.next);
    },
    async vacuum() {
      for (const database of databases) await database.query('vacuum analyze');
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // The server ends before the benchmark's own connections do.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function postmasterIn(folder: string): Promise<number> {
  const [pid] = (await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}
