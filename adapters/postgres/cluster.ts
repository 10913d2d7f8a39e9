/** The private server's files: made once, whole or not at all, and never made again over something that is there. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CodedError } from '../channel.ts';
import { asFolderError, foreign, notWritable, serverFailed } from './folder-errors.ts';
import { type ServerHome, serverEnvironment } from './server-home.ts';

const run = promisify(execFile);

/** A half-made cluster of a Lobby that still runs is left alone this long. */
const makingTakesAtMostMs = 600_000;

export interface Cluster {
  readonly home: ServerHome;
  /** PostgreSQL's own data directory. */
  readonly files: string;
  /** Of the server's administrator and of Lobby's own login. */
  readonly password: string;
}

/** Finds the cluster, or makes it. One killed half-way leaves nothing but a temporary folder, removed the next time. */
export async function openCluster(home: ServerHome, log: (sentence: string) => void): Promise<Cluster> {
  await removeHalfMade(home.folder);
  if (await isAbsent(home.folder)) {
    log(`Making the database in ${home.folder}.`);
    await makeCluster(home);
  }
  const files = join(home.folder, 'cluster');
  await checkVersion(home, files);
  return { home, files, password: await readPassword(home.folder) };
}

/** An empty folder counts as absent: the finished one takes its place. */
async function isAbsent(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw asFolderError(error, folder);
  }
}

async function makeCluster(home: ServerHome): Promise<void> {
  const half = `${home.folder}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(half, { mode: 0o700 });
    await writeFile(join(half, 'password'), `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
    if (home.user) await Promise.all([half, join(half, 'password')].map((path) => giveTo(path, home)));
    await initialise(home, half);
    await renameOrYield(half, home.folder);
  } catch (error) {
    throw error instanceof CodedError ? error : asFolderError(error, dirname(home.folder));
  } finally {
    await rm(half, { recursive: true, force: true }).catch(() => {});
  }
}

async function giveTo(path: string, home: ServerHome): Promise<void> {
  if (home.user) await chown(path, home.user.uid, home.user.gid);
}

/** A fixed locale that sorts and folds Unicode alike on every machine, whatever the environment says. */
async function initialise(home: ServerHome, half: string): Promise<void> {
  const options = [
    ...['--pgdata', join(half, 'cluster')],
    ...['--username', 'postgres', '--pwfile', join(half, 'password'), '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...['--text-search-config', 'simple', '--data-checksums'],
  ];
  try {
    await run(join(home.binaries, 'initdb'), options, { ...home.user, cwd: '/', env: serverEnvironment });
  } catch (error) {
    throw serverFailed(dirname(home.folder), (error as { stderr?: string }).stderr || String(error));
  }
}

/** Two Lobbies may make it at once: the first to finish wins, and the other uses what it finds. */
async function renameOrYield(half: string, folder: string): Promise<void> {
  try {
    await rename(half, folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  const parent = await open(dirname(folder));
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

async function removeHalfMade(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.new-`;
  const names = await readdir(dirname(folder)).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(dirname(folder), name);
    if (await isAbandoned(path, Number(name.slice(prefix.length).split('-')[0]))) {
      await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }
}

async function isAbandoned(path: string, maker: number): Promise<boolean> {
  const madeAt = (await stat(path).catch(() => null))?.mtimeMs ?? 0;
  return !isAlive(maker) || Date.now() - madeAt > makingTakesAtMostMs;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function checkVersion(home: ServerHome, files: string): Promise<void> {
  const version = await readOwn(
    home.folder,
    join(files, 'PG_VERSION'),
    'it was not made by Lobby, or parts of it are missing',
  );
  if (version !== home.majorVersion) {
    throw new CodedError(
      'data_folder_version',
      `${home.folder} was made by PostgreSQL ${version}, and this Lobby brings ${home.majorVersion}; start the Lobby that made it, or export and import the data.`,
    );
  }
}

async function readPassword(folder: string): Promise<string> {
  const password = await readOwn(folder, join(folder, 'password'), 'its password file is missing');
  if (!/^[0-9a-f]{48}$/.test(password)) throw foreign(folder, 'its password file is damaged');
  return password;
}

async function readOwn(folder: string, path: string, otherwise: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw foreign(folder, otherwise, error);
    throw code === 'EACCES' ? notWritable(folder, error) : error;
  }
}
