/** The lane to the disk: under load, turns of different conversations are committed together and wait for the disk once. */

import { CodedError } from '../adapters/channel.ts';
import type { CommitResult, TurnCommit } from '../record/types.ts';

/** Commits turns of different conversations together; results in the order given. Throws when none was written. */
export type CommitTurns = (turns: readonly TurnCommit[]) => Promise<readonly CommitResult[]>;

/** The most turns one statement carries. */
const MOST = 64;

interface Waiting {
  readonly turn: TurnCommit;
  readonly since: number;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/**
 * Takes turns as they come. An idle lane commits at once, alone; what arrives while it is busy goes together next.
 * A batch that fails is run one by one, so that a broken turn harms no other.
 */
export class CommitLane {
  readonly #commitTurns: CommitTurns;
  readonly #lanes: number;
  readonly #now: () => number;
  #queue: Waiting[] = [];
  #busy = 0;
  #lastWaitMs = 0;

  /** `lanes`: how many statements may be under way at once. `now`: milliseconds that only grow. */
  constructor(commitTurns: CommitTurns, lanes: number, now: () => number) {
    this.#commitTurns = commitTurns;
    this.#lanes = lanes;
    this.#now = now;
  }

  /** How long the turn served last, or the one waiting longest, had to wait for its commit to begin. Milliseconds. */
  get waitMs(): number {
    const [first] = this.#queue;
    return first ? Math.max(this.#lastWaitMs, this.#now() - first.since) : this.#busy > 0 ? this.#lastWaitMs : 0;
  }

  commit(turn: TurnCommit): Promise<CommitResult> {
    // The counter row of case numbers is locked until the commit: two batches holding it in turn could wait for each other.
    if (turn.effects.some(({ kind }) => kind === 'handoff.request')) return this.#one(turn);
    return new Promise((resolve, reject) => {
      this.#queue.push({ turn, since: this.#now(), resolve, reject });
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#busy < this.#lanes && this.#queue.length > 0) {
      const batch = this.#queue.slice(0, MOST);
      this.#queue = this.#queue.slice(MOST);
      this.#lastWaitMs = this.#now() - (batch[0]?.since ?? 0);
      this.#busy += 1;
      void this.#run(batch).finally(() => {
        this.#busy -= 1;
        this.#serve();
      });
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 1) {
      await this.#alone(batch);
      return;
    }
    try {
      const results = await this.#commitTurns(batch.map(({ turn }) => turn));
      for (const [place, { resolve }] of batch.entries()) resolve(results[place] as CommitResult);
    } catch (error) {
      // Away, or nobody knows: trying each of them at once would only knock at the same door 64 times.
      if (certainlyWritable(error)) await this.#alone(batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  /** One by one, in order: whatever becomes of one is its own. */
  async #alone(batch: readonly Waiting[]): Promise<void> {
    for (const { turn, resolve, reject } of batch) {
      await this.#one(turn).then(resolve, reject);
    }
  }

  async #one(turn: TurnCommit): Promise<CommitResult> {
    const [result] = await this.#commitTurns([turn]);
    return result as CommitResult;
  }
}

function certainlyWritable(error: unknown): boolean {
  return !(error instanceof CodedError && (error.code === 'database_unavailable' || error.code === 'database_unknown'));
}
