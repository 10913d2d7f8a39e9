/** A Redis for one run: on a free port of this machine, keeping nothing. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Children } from '../children.ts';

export interface RedisServer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
}

/** Starts redis-server and waits until it answers. */
export async function startRedis(children: Children, folder: string): Promise<RedisServer> {
  const program = findRedis() ?? installRedis();
  if (program === undefined) {
    throw new Error(
      'Missing: redis-server, for the naive turn. On Debian: apt-get install redis-server; or leave it out with --only.',
    );
  }
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = children.spawn(program, settings, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  return { url, pid: child.pid ?? 0, version: await versionOf(url) };
}

async function versionOf(url: string): Promise<string> {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  redis.on('error', () => undefined);
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
    await pause(0);
  }
}

function findRedis(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file));
}

/** Debian's package starts a service of its own unless a policy forbids it; the service is not used. */
function installRedis(): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  console.log('Installing redis-server …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  try {
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      stdio: 'ignore',
      env,
    });
  } catch {
    return undefined;
  }
  return findRedis();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
