/** Misfortune, drawn by lot within what a scenario allows: crashes, pauses, lost and doubled messages, a database that is away. */

import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** How much may go wrong. Everything goes well again after `untilMs`: then nobody may be left waiting. */
export interface Misfortune {
  readonly untilMs: number;
  /** Deaths of processes, at most. */
  readonly crashes: number;
  /** Stops of a whole process, at most; it goes on later with what it knew. */
  readonly pauses: number;
  /** How likely a message between two machines is lost, and an exchange with the database cut. */
  readonly loss: number;
  /** How likely a message between two machines comes twice. */
  readonly doubles: number;
  /** The slowest a message may be, milliseconds. */
  readonly slowestMs: number;
  /** When the database refuses everybody: from, to. */
  readonly databaseAway: readonly [number, number];
}

/** What becomes of an exchange with the database. */
export type Exchange =
  | 'answered'
  /** No connection: certainly nothing was done. */
  | 'refused'
  /** The connection is lost at once; the statement may still arrive, even later than the next one. */
  | 'cut'
  /** The statement is done and nobody is told, until the client gives up. */
  | 'silent';

const DEATH_PER_POINT = 0.02;
const PAUSE_PER_POINT = 0.01;

export class Chaos {
  /** What happened, by name: a run in which nothing went wrong proves nothing. */
  readonly seen = new Map<string, number>();
  readonly #misfortune: Misfortune;
  readonly #random: Random;
  readonly #timeline: Timeline;
  #crashes = 0;
  #pauses = 0;

  constructor(misfortune: Misfortune, random: Random, timeline: Timeline) {
    this.#misfortune = misfortune;
    this.#random = random;
    this.#timeline = timeline;
  }

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  get #over(): boolean {
    return this.#timeline.now >= this.#misfortune.untilMs;
  }

  /** Whether a process dies at this point. */
  kills(point: string): boolean {
    if (this.#over || this.#crashes >= this.#misfortune.crashes || !this.#random.chance(DEATH_PER_POINT)) return false;
    this.#crashes += 1;
    this.note('crash');
    this.note(`crash at ${point}`);
    return true;
  }

  /** For how long a process stops at this point; mostly 0. */
  pauses(): number {
    if (this.#over || this.#pauses >= this.#misfortune.pauses || !this.#random.chance(PAUSE_PER_POINT)) return 0;
    this.#pauses += 1;
    this.note('pause');
    return this.#random.between(500, 60_000);
  }

  exchange(): Exchange {
    const { now } = this.#timeline;
    const { loss, databaseAway } = this.#misfortune;
    const away = now >= databaseAway[0] && now < databaseAway[1];
    const fate = away
      ? this.#random.pick(['refused', 'refused', 'cut'] as const)
      : this.#happens(loss)
        ? this.#random.pick(['refused', 'cut', 'silent'] as const)
        : 'answered';
    if (fate !== 'answered') this.note(`database ${fate}`);
    return fate;
  }

  /** Whether a message between two machines never comes. */
  loses(): boolean {
    const lost = this.#happens(this.#misfortune.loss);
    if (lost) this.note('message lost');
    return lost;
  }

  either(): boolean {
    return this.#random.chance(0.5);
  }

  /** Whether a message between two machines comes twice. */
  doubles(): boolean {
    const doubled = this.#happens(this.#misfortune.doubles);
    if (doubled) this.note('message doubled');
    return doubled;
  }

  /** How long a message is under way: mostly short, now and then so long that others overtake it. */
  delay(): number {
    const { slowestMs } = this.#misfortune;
    return this.#over || this.#random.chance(0.85) ? this.#random.between(1, 5) : this.#random.between(1, slowestMs);
  }

  #happens(probability: number): boolean {
    return !this.#over && this.#random.chance(probability);
  }
}
