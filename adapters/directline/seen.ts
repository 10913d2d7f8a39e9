/** What customers have confirmed to have been shown: gathered for a moment, written in one go. */

import type { Log, WebRecord } from './port.ts';
import { Recent } from './recent.ts';

const WRITE_EVERY_MS = 1_000;
const REMEMBERED = 20_000;

/**
 * Gathers confirmations. One that is lost with the process is confirmed again by the client's next poll or reconnect;
 * until then the bank believes too little was seen, never too much.
 */
export class Seen {
  readonly #record: Pick<WebRecord, 'confirmSeen'>;
  readonly #log: Log;
  readonly #pending = new Map<string, number>();
  readonly #written = new Recent<string, number>(REMEMBERED);
  #timer: NodeJS.Timeout | undefined;

  constructor(record: Pick<WebRecord, 'confirmSeen'>, log: Log) {
    this.#record = record;
    this.#log = log;
  }

  /** The client of this conversation has everything up to `seq`. */
  note(conversationId: string, seq: number): void {
    const known = Math.max(this.#written.get(conversationId) ?? 0, this.#pending.get(conversationId) ?? 0);
    if (seq <= known) return;
    this.#pending.set(conversationId, seq);
    this.#timer ??= setTimeout(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  /** Writes what was gathered. */
  async write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const confirmations = [...this.#pending].map(([conversationId, seq]) => ({ conversationId, seq }));
    this.#pending.clear();
    if (confirmations.length === 0) return;
    try {
      await this.#record.confirmSeen(confirmations);
      for (const { conversationId, seq } of confirmations) this.#written.set(conversationId, seq);
    } catch (err) {
      this.#log.warn(
        { msg_code: 'directline_seen_failed', err },
        'What customers have seen could not be noted; their next poll confirms it again.',
      );
    }
  }
}
