/** The key that is never in a backup: which one it is, where it is, and whether it is in its place. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupHeader } from '../../record/backup-file.ts';
import type { Config } from '../config.ts';
import { Keys } from '../keys.ts';

/** For the one who has just taken a backup. */
export async function keepTheKey(config: Config, { keyId }: BackupHeader): Promise<string> {
  if (keyId === null) return 'Lobby has not yet made a key for this record, so the backup needs none.';
  const key = await keyAtHand(config);
  const which = key.id === keyId ? `${key.place} (key ${keyId})` : `the DATA_KEY of this record (key ${keyId})`;
  return `The key that opens it is not in it: keep ${which} too, in another place. Without it the backup cannot be used.`;
}

/** For the one who is about to start Lobby on what was loaded. */
export async function putTheKeyInPlace(config: Config, { keyId }: BackupHeader): Promise<string> {
  if (keyId === null) return 'The record has no key yet; Lobby makes one when it starts.';
  const key = await keyAtHand(config);
  if (key.id === keyId) return `The key of the record (key ${keyId}) is in its place: ${key.place}.`;
  if (key.id === null) {
    return `Before you start Lobby, set DATA_KEY to the key of the record (key ${keyId}), or put its data.key at ${key.place}.`;
  }
  return `Lobby will not start with this ${key.place} (key ${key.id}): put the key of the record (key ${keyId}) in its place first.`;
}

/** The key the next start would use, by its name; `id` is null when there is none. */
async function keyAtHand({ storage }: Config): Promise<{ readonly place: string; readonly id: string | null }> {
  if (storage.dataKey) return { place: 'DATA_KEY', id: new Keys(Buffer.from(storage.dataKey)).id };
  const place = join(storage.dataDir, 'data.key');
  const text = await readFile(place, 'utf8').catch(() => null);
  return { place, id: text === null ? null : new Keys(Buffer.from(text.trim(), 'base64')).id };
}
