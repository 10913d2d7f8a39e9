/** What the operator reads while rows are moved, and how many there were. */

import type { Progress } from '../../record/backup.ts';
import type { BackupHeader } from '../../record/backup-file.ts';
import type { Tools } from './command.ts';

/** A table that takes longer than this is spoken of before it is done. */
const PATIENCE_MS = 2_000;

export interface Counted {
  readonly progress: Progress;
  /** In words, for the last line. */
  total(): string;
}

/** Says each table that held something when it is done, and how far a long one has come. */
export function count({ say, clock }: Pick<Tools, 'say' | 'clock'>): Counted {
  let [tables, rows, saidAt] = [0, 0, clock()];
  const progress: Progress = (table, count, whole) => {
    if (whole) {
      tables += 1;
      rows += count;
    } else if (clock() - saidAt < PATIENCE_MS) return;
    saidAt = clock();
    if (count > 0) say(`  ${table.padEnd(20)} ${inWords(count)}${whole ? '' : ' so far'}`);
  };
  return { progress, total: () => `${inWords(rows)} in ${tables} tables` };
}

function inWords(rows: number): string {
  return `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
}

export function sizeInWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Whose record a backup is, and of when. */
export function describe(header: BackupHeader): string {
  return `${header.demo ? 'a demo’s record' : 'a bank’s record'} as of ${header.takenAt}, from PostgreSQL ${header.server}`;
}

/** Passes a stream on until the operator wants it to stop. */
export async function* until(signal: AbortSignal, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}
