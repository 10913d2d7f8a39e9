/** Files of rows, packed: written whole or not at all, and read with a sentence when they are not what they seem. */

import { createReadStream, createWriteStream } from 'node:fs';
import { access, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { CodedError } from '../../adapters/channel.ts';
import { isAlive } from '../../adapters/postgres/cluster.ts';
import { BackupError } from '../../record/backup-file.ts';

/** A file on its way: under another name until it is whole. */
export interface NewFile {
  readonly path: string;
  write(source: AsyncIterable<Buffer>): Promise<void>;
  read(): AsyncIterable<Buffer>;
  /** Gives it its name. From now on it survives a power cut. Resolves to its size. */
  finish(): Promise<number>;
}

/** Makes a file by `work`; when that throws, nothing of it is left. An existing file is refused, never replaced. */
export async function makeFile<Result>(given: string, work: (file: NewFile) => Promise<Result>): Promise<Result> {
  const path = resolve(given);
  await refuseExisting(path);
  await removeLeftovers(path);
  const half = `${path}.part-${process.pid}`;
  const file: NewFile = {
    path,
    async write(source) {
      // Customers' words: nobody but the operator may read them.
      const sink = createWriteStream(half, { flags: 'wx', mode: 0o600, flush: true });
      await pipeline(Readable.from(source, { objectMode: false }), createGzip(), sink);
    },
    read: () => readPacked(half),
    async finish() {
      await refuseExisting(path);
      await rename(half, path);
      await syncFolder(dirname(path));
      return (await stat(path)).size;
    },
  };
  try {
    return await work(file);
  } catch (error) {
    throw asFileError(error, path);
  } finally {
    await rm(half, { force: true });
  }
}

/** The bytes of a packed file. Throws a sentence for a file that is absent, unreadable, cut short or not packed. */
export async function* readPacked(path: string): AsyncGenerator<Buffer> {
  const unpack = createGunzip();
  const done = pipeline(createReadStream(path), unpack).catch(() => {});
  try {
    for await (const chunk of unpack) yield chunk as Buffer;
  } catch (error) {
    throw asFileError(error, path);
  } finally {
    unpack.destroy();
    await done;
  }
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new CodedError(
      'file_exists',
      `${path} is there already, and a backup never replaces another; give it another name.`,
    );
}

/** What a killed backup to the same name left. */
async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.part-`;
  const names = await readdir(dirname(path)).catch(() => []);
  const dead = names.filter((name) => name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length))));
  await Promise.all(dead.map((name) => rm(join(dirname(path), name), { force: true })));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Which sentence an error of the file system or of the unpacking is; any other error is left. */
function asFileError(error: unknown, path: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CodedError('file_absent', `There is no such file or folder: ${path}.`, { cause: error });
    case 'EISDIR':
      return new CodedError('file_is_folder', `${path} is a folder; name a file.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CodedError('file_denied', `This user may not use ${path}.`, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new CodedError('disk_full', `The disk of ${path} is full; nothing was left there.`, { cause: error });
    case 'Z_BUF_ERROR':
      return new BackupError('backup_damaged', `${path} is cut short. Take another backup.`);
    case 'Z_DATA_ERROR':
      return new BackupError('backup_damaged', `${path} is no backup of Lobby, or it is damaged.`);
    default:
      return error;
  }
}
