/** Every key the service uses, derived from the one secret the bank keeps: DATA_KEY. */

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Database } from '../record/types.ts';

/** What a derived key is for. A key is never used for two purposes. */
export type KeyPurpose =
  | 'directline-token'
  | 'directline-visitor'
  | 'directline-upload'
  | 'bank-token'
  | 'bank-ref'
  | 'route'
  | 'wrap-index-key';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Keys derived from one DATA_KEY, and sealing with them. */
export class Keys {
  readonly #dataKey: Buffer;
  /** Names DATA_KEY without revealing it: stored beside what it sealed. */
  readonly id: string;

  constructor(dataKey: Buffer) {
    this.#dataKey = dataKey;
    this.id = createHash('sha256').update('lobby key id').update(dataKey).digest('base64url').slice(0, 8);
  }

  /** 32 bytes for one purpose, by HKDF-SHA-256 (RFC 5869). */
  derive(purpose: KeyPurpose): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#dataKey, 'lobby', purpose, 32));
  }

  /** Encrypts one column's value. `place` (table, column, row) is bound to it: the same bytes elsewhere do not open. */
  seal(purpose: KeyPurpose, place: string, text: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.derive(purpose), iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${this.id}.${sealed.toString('base64url')}`;
  }

  /** The text that was sealed for this purpose and place. Throws when it was not, or when another DATA_KEY sealed it. */
  open(purpose: KeyPurpose, place: string, sealed: string): string {
    const [id, body = ''] = sealed.split('.');
    if (id !== this.id) throw new Error('This was sealed under another DATA_KEY.');
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv(CIPHER, this.derive(purpose), bytes.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  }
}

/** Turns an outside id into ours: the same thread always gets the same id, and nobody can go back. */
export type ThreadIndex = (channel: string, outsideId: string) => string;

/**
 * Reads the index key, or makes it on the first start. It is random and kept wrapped, so that it survives a new DATA_KEY:
 * with another one every known thread would look new.
 */
export async function openThreadIndex(database: Database, keys: Keys): Promise<ThreadIndex> {
  const place = 'wrapped_key.wrapped.thread-index';
  const fresh = keys.seal('wrap-index-key', place, randomBytes(32).toString('base64url'));
  await database.query(
    `insert into wrapped_key (purpose, key_id, wrapped) values ('thread-index', $1, $2) on conflict do nothing`,
    [keys.id, fresh],
  );
  const [row] = await database.query<{ wrapped: string }>(
    `select wrapped from wrapped_key where purpose = 'thread-index'`,
  );
  const key = Buffer.from(keys.open('wrap-index-key', place, row?.wrapped ?? ''), 'base64url');
  return (channel, outsideId) =>
    createHmac('sha256', key).update(`${channel}\n${outsideId}`).digest('base64url').slice(0, 22);
}
