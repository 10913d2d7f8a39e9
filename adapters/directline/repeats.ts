/** Messages that came a second time: a client that tries again waits to see its message under the id of the new try. */

import type { RecordedActivity } from '../../record/types.ts';
import type { Clock } from './port.ts';
import { Recent } from './recent.ts';

/** The row as it was recorded, and the client id under which somebody waits for it. */
export interface Repeat {
  readonly row: RecordedActivity;
  readonly clientActivityID: string;
}

interface Noted extends Repeat {
  readonly until: number;
  /** A poll has shown it. Sockets show it all the same: who polls need not be who waits. */
  polled: boolean;
}

/** So long the official client waits. */
const WAITED_FOR_MS = 300_000;
/** Of one conversation. */
export const MOST_REPEATS = 20;
const CONVERSATIONS = 500;

/** Remembers them in this process: who tries again has often just lost the socket that would bring the echo. */
export class Repeats {
  readonly #clock: Clock;
  readonly #noted = new Recent<string, readonly Noted[]>(CONVERSATIONS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note({ row, clientActivityID }: Repeat): void {
    const until = this.#now() + WAITED_FOR_MS;
    const others = this.#of(row.conversationId).filter((repeat) => repeat.clientActivityID !== clientActivityID);
    const noted = [...others, { row, clientActivityID, until, polled: false }];
    this.#noted.set(row.conversationId, noted.slice(-MOST_REPEATS));
  }

  /** For a socket that opens now. */
  of(conversationId: string): readonly Repeat[] {
    return this.#of(conversationId);
  }

  /** For a poll of a client that has the rows up to `seq`: each once. */
  poll(conversationId: string, seq: number): readonly Repeat[] {
    const due = this.#of(conversationId).filter(({ row, polled }) => row.seq <= seq && !polled);
    for (const repeat of due) repeat.polled = true;
    return due;
  }

  #of(conversationId: string): readonly Noted[] {
    return (this.#noted.get(conversationId) ?? []).filter(({ until }) => until > this.#now());
  }

  #now(): number {
    return this.#clock().getTime();
  }
}
