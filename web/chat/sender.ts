/** Sends what the outbox holds, one after the other, until the bank has confirmed each. */

import { type Trouble, troubleIn } from './http.ts';
import type { Failure, Mine, Outbox } from './outbox.ts';

export interface SenderTools {
  readonly post: (item: Mine) => Promise<void>;
  readonly isLive: () => boolean;
  readonly timer: (ms: number, work: () => void) => () => void;
  /** The conversation seems to be gone: the line should look. */
  readonly onGone: () => void;
  readonly onSent: (item: Mine) => void;
}

/** Tries before a message is shown as failed although the line is up. Each pause doubles. */
const TRIES = 4;
const FIRST_PAUSE_MS = 700;
const LONGEST_PAUSE_MS = 15_000;

export class Sender {
  readonly #outbox: Outbox;
  readonly #tools: SenderTools;
  #running = false;
  #stopped = false;
  #tries = 0;
  #endPause = (): void => undefined;

  constructor(outbox: Outbox, tools: SenderTools) {
    this.#outbox = outbox;
    this.#tools = tools;
  }

  /** Something is new, or the line is back. */
  wake(): void {
    this.#endPause();
    if (!this.#running && !this.#stopped) void this.#drain();
  }

  stop(): void {
    this.#stopped = true;
    this.#endPause();
  }

  async #drain(): Promise<void> {
    this.#running = true;
    for (let item = this.#outbox.head; item && !this.#stopped; item = this.#outbox.head) {
      await this.#send(item);
    }
    this.#running = false;
  }

  async #send(item: Mine): Promise<void> {
    try {
      await this.#tools.post(item);
      if (this.#stopped) return;
      this.#tries = 0;
      this.#outbox.mark(item.key, { is: 'sent' });
      this.#tools.onSent(item);
    } catch (error) {
      if (!this.#stopped) await this.#cope(item, troubleIn(error));
    }
  }

  async #cope(item: Mine, trouble: Trouble): Promise<void> {
    switch (trouble.kind) {
      case 'refused':
        return this.#fail(item, reasonOf(trouble.status));
      case 'busy':
        return this.#pause(trouble.waitMs);
      case 'gone':
        this.#tools.onGone();
        return this.#pause(LONGEST_PAUSE_MS);
      case 'network':
      case 'expired':
        return this.#tryAgain(item);
    }
  }

  /** Gives up only while the line is up: without one, the message waits. */
  async #tryAgain(item: Mine): Promise<void> {
    if (!this.#tools.isLive()) return this.#pause(LONGEST_PAUSE_MS);
    this.#tries += 1;
    if (this.#tries < TRIES) return this.#pause(FIRST_PAUSE_MS * 2 ** (this.#tries - 1));
    this.#fail(item, 'network');
  }

  /** A message is shown as failed, with a way to try again; an event nobody sees is let go. */
  #fail(item: Mine, why: Failure): void {
    this.#tries = 0;
    if (item.activity.type === 'message') this.#outbox.mark(item.key, { is: 'failed', why });
    else this.#outbox.remove(item.key);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#tools.timer(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

function reasonOf(status: number): Failure {
  if (status === 413) return 'too_large';
  return status === 415 ? 'file_type' : 'refused';
}
