/** One Lobby per data folder: a lock inside the private server, held by a connection that lives as long as its Lobby. */

import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from './cluster.ts';
import { inUse } from './folder-errors.ts';

const lockKey = 6_071_002;
/** A Lobby that was killed a moment ago still counts until the server has noticed. */
const patienceMs = 2_000;

export interface FolderLock {
  /** Administers the server; never serves customers. */
  readonly client: pg.Client;
  /** Settles when the connection is gone, and the lock with it. */
  readonly lost: Promise<void>;
}

/** Takes the lock; throws `data_folder_in_use` when another Lobby holds it. The server is left as it is either way. */
export async function lockFolder(cluster: Cluster, port: number): Promise<FolderLock> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.password,
    database: 'postgres',
    application_name: `lobby process ${process.pid}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    keepAlive: true,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  try {
    await client.connect();
    await waitForLock(client, cluster);
    return { client, lost };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

async function waitForLock(client: pg.Client, cluster: Cluster): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lockKey]);
    if (rows[0]?.taken) return;
    if (Date.now() > deadline) throw inUse(cluster.home.folder, await holder(client));
    await pause(50);
  }
}

async function holder(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.objid = $1 and l.granted`,
    [lockKey],
  );
  return rows[0]?.name ?? 'which has just ended';
}
