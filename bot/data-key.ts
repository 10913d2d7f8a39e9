/** The one secret of the bank's data: given by the bank, or made once for a demo and kept beside its data. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../adapters/channel.ts';
import type { Config } from './config.ts';

const FILE = 'data.key';
const BYTES = 32;

/** The key. Demo mode makes one on the first start; two processes starting at once agree on the first one's. */
export async function openDataKey(config: Config): Promise<Buffer> {
  const { dataKey, dataDir } = config.storage;
  if (dataKey) return Buffer.from(dataKey);
  const path = join(dataDir, FILE);
  await mkdir(dataDir, { recursive: true });
  await makeKey(path);
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
  if (key.length < BYTES)
    throw new CodedError('data_key_unusable', `${path} holds no key of ${BYTES} bytes; put it back from a backup.`);
  return key;
}

async function makeKey(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(BYTES).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    throw new CodedError(
      'data_folder_not_writable',
      `The key file ${path} cannot be written (${code}); check DATA_DIR.`,
      { cause: error },
    );
  }
}
