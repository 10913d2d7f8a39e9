/** The private server as a process: found by its pid file, started on a free port of this machine, stopped at the end. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, readlink, rename, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CodedError } from '../channel.ts';
import { type Cluster, isAlive } from './cluster.ts';
import { asFolderError, diskFull, serverFailed } from './folder-errors.ts';
import { serverEnvironment } from './server-home.ts';

const run = promisify(execFile);

/** After a crash the server first replays its log, which may take a while. */
const startTakesAtMostMs = 120_000;
const stopTakesAtMostMs = 20_000;
const glanceMs = 20;
const keepLogBytes = 5_000_000;

/** Everything a commit promises is on; nothing a customer wrote reaches the server's own log. */
const serverSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  jit: 'off',
  cluster_name: 'lobby',
} as const;

export type FoundServer =
  | { readonly status: 'absent' }
  /** It accepts connections. */
  | { readonly status: 'ready'; readonly pid: number; readonly port: number }
  /** It is about to accept connections, or about to be gone. */
  | { readonly status: 'changing'; readonly pid: number };

/** The server that runs on these files, by PostgreSQL's own pid file. */
export async function findServer(cluster: Cluster): Promise<FoundServer> {
  const text = await readFile(pidFile(cluster), 'utf8').catch(() => '');
  const [pid, , , port, , , , status = ''] = text.split('\n').map((line) => line.trim());
  const server = Number(pid);
  // A dead server's file is left to PostgreSQL, which also makes sure that none of its processes is still writing.
  if (!server || !isAlive(server)) return { status: 'absent' };
  if (!(await isOurServer(server, cluster))) {
    await removePidFile(cluster, text);
    return { status: 'absent' };
  }
  return status === 'ready' ? { status, pid: server, port: Number(port) } : { status: 'changing', pid: server };
}

/** Unless another Lobby has just started a server, whose file it now is. */
async function removePidFile(cluster: Cluster, text: string): Promise<void> {
  const now = await readFile(pidFile(cluster), 'utf8').catch(() => '');
  if (now === text) await rm(pidFile(cluster), { force: true });
}

/**
 * Whether the process is PostgreSQL on these files. After a restart of the machine (or of a container) another process
 * may have the number, and PostgreSQL itself would then refuse to start.
 */
async function isOurServer(pid: number, cluster: Cluster): Promise<boolean> {
  if (process.platform !== 'linux') {
    return run('ps', ['-o', 'command=', '-p', String(pid)]).then(
      ({ stdout }) => stdout.includes('postgres'),
      () => true,
    );
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (command.split('\0').includes(cluster.files)) return true;
  // A data folder that was moved under a running server: the server stands in it.
  return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === cluster.files;
}

/** `look_again`: somebody else was quicker, with the port or with the files. */
export type Start = 'ready' | 'look_again';

/** Starts the server in a session of its own: it outlives us, and a Ctrl-C meant for us does not reach it. */
export async function startServer(
  cluster: Cluster,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<Start> {
  const log = await openLog(cluster);
  const options = Object.entries({ ...serverSettings, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const ending = new AbortController();
  try {
    const child = spawn(
      join(cluster.home.binaries, 'postgres'),
      ['-D', cluster.files, '-p', String(port), ...options],
      {
        ...cluster.home.user,
        cwd: '/',
        env: serverEnvironment,
        detached: true,
        stdio: ['ignore', log.file.fd, log.file.fd],
      },
    );
    const failed = once(child, 'error').then(([cause]) => Promise.reject(couldNotRun(cluster, cause)));
    const ended = new Promise<false>((resolve) => child.once('exit', () => resolve(false)));
    child.unref();
    if (await Promise.race([waitUntilReady(cluster, ending.signal), failed, ended])) return 'ready';
    return await whyItEnded(cluster, await readFrom(cluster, log.start));
  } catch (error) {
    throw error instanceof CodedError ? error : couldNotRun(cluster, error);
  } finally {
    ending.abort();
    await log.file.close();
  }
}

async function waitUntilReady(cluster: Cluster, ending: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + startTakesAtMostMs;
  while (!ending.aborted) {
    if ((await findServer(cluster)).status === 'ready') return true;
    if (Date.now() > deadline) throw serverFailed(cluster.home.folder, 'it is still starting after two minutes');
    await pause(glanceMs);
  }
  return false;
}

/** Reads the server's last words. */
async function whyItEnded(cluster: Cluster, said: string): Promise<Start> {
  if (
    /lock file .* already exists|could not bind|could not create any TCP\/IP sockets|shared memory block .* still in use/.test(
      said,
    )
  ) {
    return 'look_again';
  }
  // On a full disk the last words themselves may not have been written.
  if (await isFull(cluster.home.folder)) throw diskFull(cluster.home.folder);
  throw serverFailed(cluster.home.folder, said);
}

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => null);
  return disk !== null && disk.bavail * disk.bsize < 1_000_000;
}

function couldNotRun(cluster: Cluster, cause: unknown): CodedError {
  return new CodedError(
    'database_server_failed',
    `The private PostgreSQL could not be run from ${cluster.home.binaries}: ${(cause as Error).message}.`,
    { cause },
  );
}

/** Asks the server to end now (running statements are undone, nothing committed is lost) and waits. False when it still runs. */
export async function stopServer(cluster: Cluster): Promise<boolean> {
  const found = await findServer(cluster);
  if (found.status === 'absent') return true;
  interrupt(found.pid);
  const deadline = Date.now() + stopTakesAtMostMs;
  // Not by the pid alone: nobody may be there to take the dead process off the list.
  while ((await findServer(cluster)).status !== 'absent') {
    if (Date.now() > deadline) return false;
    await pause(glanceMs);
  }
  return true;
}

/** PostgreSQL's word for ending now. That it has ended by itself meanwhile is as good. */
function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A port of the loopback nobody uses now; never PostgreSQL's own, which is for the bank's server. */
export async function freePort(): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  return port === 5432 ? freePort() : port;
}

function pidFile(cluster: Cluster): string {
  return join(cluster.files, 'postmaster.pid');
}

function logFile(cluster: Cluster): string {
  return join(cluster.home.folder, 'server.log');
}

/** The server's log outlives us with it, so it is a file and not a pipe. The one before is kept. */
async function openLog(cluster: Cluster): Promise<{ file: Awaited<ReturnType<typeof open>>; start: number }> {
  try {
    const size = (await stat(logFile(cluster)).catch(() => null))?.size ?? 0;
    if (size > keepLogBytes) await rename(logFile(cluster), `${logFile(cluster)}.1`);
    const file = await open(logFile(cluster), 'a', 0o600);
    if (cluster.home.user) await file.chown(cluster.home.user.uid, cluster.home.user.gid);
    return { file, start: (await file.stat()).size };
  } catch (error) {
    throw asFolderError(error, cluster.home.folder);
  }
}

async function readFrom(cluster: Cluster, start: number): Promise<string> {
  return (await readFile(logFile(cluster))).subarray(start).toString('utf8');
}
