/** The key that is never in a backup: which one it is, where it is, and whether it is in its place. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupHeader } from '../../record/backup-file.ts';
import type { Config } from '../config.ts';
import { Keys } from '../keys.ts';

/** For the one who has just taken a backup. */
export function keepTheKey({ storage }: Config, { keyId }: BackupHeader): string {
  if (keyId === null) return 'Lobby has not yet made a key for this record, so the backup needs none.';
  const where = storage.dataKey ? 'DATA_KEY' : keyFile(storage.dataDir);
  return `The key that opens it is not in it: keep ${where} (key ${keyId}) too, in another place. Without it the backup cannot be used.`;
}

/** For the one who is about to start Lobby on what was loaded. */
export async function putTheKeyInPlace({ storage }: Config, { keyId }: BackupHeader): Promise<string> {
  if (keyId === null) return 'The record has no key yet; Lobby makes one when it starts.';
  const here = storage.dataKey ? Buffer.from(storage.dataKey) : await keyInFolder(storage.dataDir);
  const where = storage.dataKey ? 'DATA_KEY' : keyFile(storage.dataDir);
  if (here === null) {
    return `Before you start Lobby, set DATA_KEY to the key of the record (key ${keyId}), or put its data.key at ${where}.`;
  }
  const found = new Keys(here).id;
  if (found === keyId) return `The key of the record (key ${keyId}) is in its place: ${where}.`;
  return `Lobby will not start with this ${where} (key ${found}): put the key of the record (key ${keyId}) in its place first.`;
}

function keyFile(dataDir: string): string {
  return join(dataDir, 'data.key');
}

async function keyInFolder(dataDir: string): Promise<Buffer | null> {
  try {
    return Buffer.from((await readFile(keyFile(dataDir), 'utf8')).trim(), 'base64');
  } catch {
    return null;
  }
}
