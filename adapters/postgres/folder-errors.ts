/** The sentence for a data folder that cannot be used: full, not writable, or somebody else's. */

import { CodedError } from '../channel.ts';

const full = new Set(['ENOSPC', 'EDQUOT']);
const denied = new Set(['EACCES', 'EPERM', 'EROFS']);

/** What a file system's error means for the data folder. */
export function asFolderError(cause: unknown, folder: string): Error {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (full.has(code)) return diskFull(folder, cause);
  if (denied.has(code)) return notWritable(folder, cause);
  if (code === 'ENOTDIR' || code === 'EEXIST') return foreign(folder, 'it is not a folder', cause);
  return cause instanceof Error ? cause : new Error(String(cause));
}

export function diskFull(folder: string, cause?: unknown): CodedError {
  return new CodedError(
    'data_folder_full',
    `The disk of ${folder} is full; free some space, nothing recorded is lost.`,
    { cause },
  );
}

export function notWritable(folder: string, cause?: unknown): CodedError {
  return new CodedError(
    'data_folder_not_writable',
    `This user may not read and write ${folder}; give it the right, or set DATA_DIR to another folder.`,
    { cause },
  );
}

/** Something is there that Lobby did not make, or did not finish. It is never touched. */
export function foreign(folder: string, why: string, cause?: unknown): CodedError {
  return new CodedError(
    'data_folder_foreign',
    `${folder} cannot be used as Lobby's database: ${why}. Move it away, restore a backup, or set DATA_DIR to another folder.`,
    { cause },
  );
}

export function inUse(folder: string, holder: string): CodedError {
  return new CodedError(
    'data_folder_in_use',
    `Another Lobby (${holder}) is using ${folder}; stop it first, or set DATA_DIR to another folder.`,
  );
}

/** What the server or `initdb` said when it gave up. */
export function serverFailed(folder: string, said: string): CodedError {
  if (/No space left on device|Disk quota exceeded|wrote only \d+ of \d+/.test(said)) return diskFull(folder);
  if (/Permission denied|Read-only file system|Operation not permitted/.test(said))
    return notWritable(folder, new Error(said));
  const fatal = /(?:FATAL|PANIC|initdb: error): +(.*)/.exec(said)?.[1] ?? said.trim().split('\n').at(-1);
  return new CodedError(
    'database_server_failed',
    `The private PostgreSQL in ${folder} does not start: ${fatal || 'it said nothing'}. Its files are untouched.`,
    { cause: new Error(said) },
  );
}
