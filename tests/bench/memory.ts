/** How much memory a measured process holds. */

import { setTimeout as pause } from 'node:timers/promises';

/** In bytes. */
export interface Memory {
  /** What its program holds: objects, and buffers outside the heap. */
  readonly held: number;
  /** What the operating system has given it, without the free part of the heap: the libraries' own memory is counted too. */
  readonly used: number;
  /** All that the operating system has given it. What was freed before is used again first, so that it may grow by less than is used. */
  readonly resident: number;
}

/** What one collection leaves because something still waited to be told of its end, the next ones take. */
const COLLECTIONS = 4;
const BETWEEN_MS = 100;

/** `collect` throws away first what nobody holds; the process must run with `--expose-gc`. */
export async function memory(collect: boolean): Promise<Memory> {
  for (let n = 0; collect && n < COLLECTIONS; n += 1) {
    if (!globalThis.gc) throw new Error('This process cannot collect garbage on demand; start it with --expose-gc.');
    globalThis.gc();
    await pause(BETWEEN_MS);
  }
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  return { held: heapUsed + external, used: rss - (heapTotal - heapUsed), resident: rss };
}
