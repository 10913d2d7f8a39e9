/** Starts, kills and stops Lobbies with a private PostgreSQL each, here or in processes of their own, as whichever user a test needs. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, expect } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { findServerHome } from '../../../adapters/postgres/server-home.ts';

export const isRoot = process.getuid?.() === 0;

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** An ordinary user of this machine; null for ourselves when we are one. */
export const ordinary: User | null = isRoot ? { uid: 65534, gid: 65534 } : null;

const program = fileURLToPath(new URL('./lobby-process.ts', import.meta.url));

/** Why an ordinary user cannot run this checkout; empty when they can. */
export const ordinaryCannot = ordinary ? whyNot(ordinary) : '';

function whyNot(user: User): string {
  const succeeds = (command: string, ...options: string[]) =>
    spawnSync(command, options, { ...user, cwd: '/' }).status === 0;
  if (!succeeds(process.execPath, '-e', '')) return 'this Node lies in a folder that other users cannot enter';
  if (!succeeds('/bin/sh', '-c', 'test -r "$1"', 'sh', program))
    return 'this checkout lies in a folder that other users cannot enter';
  return '';
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface LobbyOptions {
  readonly dataDir: string;
  readonly binaries?: string;
  readonly reachableFolder?: string;
}

export interface LobbyProcess extends EmbeddedPostgres {
  readonly process: ChildProcess;
  /** As `kill -9`. */
  kill(): Promise<void>;
}

const running: EmbeddedPostgres[] = [];
const folders: string[] = [];
const disks: string[] = [];

/** Stops what each test started and removes what it made. */
export function cleanUp(): void {
  afterEach(async () => {
    await Promise.all(running.splice(0).map((lobby) => lobby.stop()));
    for (const folder of folders.splice(0)) {
      await stopOrphan(folder);
      if (disks.includes(folder)) spawnSync('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });
  afterAll(async () => {
    if (prepared) await rm(await prepared, { recursive: true, force: true });
  });
}

/** Starts one in this process. */
export async function startHere(
  options: LobbyOptions,
): Promise<EmbeddedPostgres & { readonly logs: readonly string[] }> {
  const logs: string[] = [];
  const lobby = await startEmbeddedPostgres({ ...options, log: (sentence) => logs.push(sentence) });
  running.push(lobby);
  return { ...lobby, logs };
}

/** Starts one in a process of its own, with nothing in its environment; rejects with its {@link Refusal}. */
export async function startProcess(options: LobbyOptions, user: User | null = null): Promise<LobbyProcess> {
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, program, JSON.stringify(options)], {
    ...user,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const end = async (ask: () => void) => {
    if (child.exitCode === null && child.signalCode === null) ask();
    await ended;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { started?: Omit<EmbeddedPostgres, 'stop'>; refused?: Refusal };
    if (said.refused) throw said.refused;
    if (said.started) {
      const lobby: LobbyProcess = {
        ...said.started,
        process: child,
        stop: () => end(() => child.stdin.write('stop\n')),
        kill: () => end(() => child.kill('SIGKILL')),
      };
      running.push(lobby);
      return lobby;
    }
  }
  throw new Error(`The process ended with ${(await ended)[0]} and said nothing.`);
}

export const refusalOf = <Started>(start: Promise<Started>): Promise<Refusal | Started> =>
  start.catch((refusal: Refusal) => refusal);

/** A folder of its own for a test, owned by whoever will use it. */
export async function makeFolder(user: User | null = null): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-embedded-'));
  folders.push(folder);
  await chmod(folder, 0o755);
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}

let prepared: Promise<string> | undefined;

/** A data folder whose database was made by an earlier Lobby, holds one row, and is not running. */
export async function makeUsedFolder(user: User | null = null): Promise<string> {
  prepared ??= prepare();
  const folder = await makeFolder(user);
  spawnSync('cp', ['-a', `${await prepared}/.`, folder]);
  await chmod(folder, 0o755);
  if (user) spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
  return folder;
}

async function prepare(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-prepared-'));
  await chmod(folder, 0o755);
  const lobby = await startEmbeddedPostgres({ dataDir: folder, log: () => {} });
  await put(lobby);
  await lobby.stop();
  return folder;
}

/** A disk of its own, of which there is only so much; null when this user cannot have one. */
export async function makeSmallDisk(megabytes: number): Promise<string | null> {
  const folder = await makeFolder();
  const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder];
  if (!isRoot || spawnSync('mount', options).status !== 0) return null;
  disks.push(folder);
  return folder;
}

/** A copy of the server's program, as its package has it. */
export async function copyBinaries(to: string): Promise<string> {
  const { binaries } = await findServerHome({ dataDir: await makeFolder(), log: () => {} });
  const native = join(to, 'native');
  const { status, stderr } = spawnSync('cp', ['-a', join(binaries, '..'), native]);
  if (status !== 0) throw new Error(String(stderr));
  return native;
}

export const clusterOf = (dataDir: string) => join(dataDir, 'postgres', 'cluster');
export const pidFileOf = (dataDir: string) => join(clusterOf(dataDir), 'postmaster.pid');

export async function serverPid(dataDir: string): Promise<number> {
  return Number((await readFile(pidFileOf(dataDir), 'utf8')).split('\n')[0]);
}

async function stopOrphan(dataDir: string): Promise<void> {
  const pid = await serverPid(dataDir).catch(() => 0);
  if (!pid) return;
  spawnSync('kill', ['-INT', String(pid)]);
  await expect.poll(() => stat(pidFileOf(dataDir)).catch(() => null), { timeout: 5_000 }).toBeNull();
}

/** One statement on the server of a running Lobby. */
export async function ask(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export const put = (lobby: EmbeddedPostgres) => ask(lobby.connectionString, 'create table kept as select 42 as answer');
export const kept = (lobby: EmbeddedPostgres) => ask(lobby.connectionString, 'select answer from kept');
export const theRow = [{ answer: 42 }];
