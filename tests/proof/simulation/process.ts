/** One process of the service, as the machine sees it: it goes on only where it is let, and may stop or die at each such point. */

import { CodedError } from '../../../adapters/channel.ts';
import type { Chaos } from './chaos.ts';
import type { Timeline } from './timeline.ts';

/** How long a client of PostgreSQL waits for an answer that does not come. */
const SILENCE_MS = 7_000;

/**
 * Whatever the service waits for comes through {@link Process.resume} and everything it starts goes out through a method
 * here. Between two such points only its own memory changes, so a death at every one of them is a death at every await.
 */
export class Process {
  readonly timeline: Timeline;
  readonly chaos: Chaos;
  readonly #onDeath: () => void;
  readonly #connections = new Set<{ lose(): void }>();
  #alive = true;
  #stoppedUntil = 0;

  constructor(timeline: Timeline, chaos: Chaos, onDeath: () => void) {
    this.timeline = timeline;
    this.chaos = chaos;
    this.#onDeath = onDeath;
  }

  get alive(): boolean {
    return this.#alive;
  }

  die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const connection of this.#connections) connection.lose();
    this.#onDeath();
  }

  /** A connection that is lost when the process dies. */
  attach(connection: { lose(): void }): void {
    this.#connections.add(connection);
  }

  /** Goes on after `delay`, unless it dies first or right there. */
  resume(delay: number, point: string, step: () => void): void {
    this.timeline.after(delay, () => this.#reach(point, step));
  }

  /** Something leaves the process: false when it died before. */
  leaves(point: string): boolean {
    if (this.#alive && this.chaos.kills(point)) this.die();
    return this.#alive;
  }

  /** Runs a statement on the record over a network that may lose either way. */
  ask<Result>(point: string, statement: () => Result): Promise<Result> {
    if (!this.leaves(`sending ${point}`)) return new Promise(() => undefined);
    const { chaos, timeline } = this;
    return new Promise((resolve, reject) => {
      const arrive = (): (() => void) => {
        try {
          const result = statement();
          return () => resolve(result);
        } catch (error) {
          return () => reject(error as Error);
        }
      };
      switch (chaos.exchange()) {
        case 'answered':
          timeline.after(chaos.delay(), () => this.resume(chaos.delay(), `answer of ${point}`, arrive()));
          return;
        case 'refused':
          this.resume(chaos.delay(), point, () => reject(new CodedError('database_unavailable', 'Refused.')));
          return;
        case 'cut':
          if (chaos.either()) timeline.after(chaos.delay(), () => void arrive());
          this.resume(chaos.delay(), point, () => reject(new CodedError('database_unknown', 'Cut.')));
          return;
        case 'silent':
          timeline.after(chaos.delay(), () => void arrive());
          this.resume(SILENCE_MS, point, () => reject(new CodedError('database_unknown', 'Silence.')));
      }
    });
  }

  /** The gate's clock: what `work` resolves to, or undefined once `ms` have passed. */
  within<Result>(work: Promise<Result>, ms: number): Promise<Result | undefined> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const pass = (): void => {
        if (!settled) this.#reach('time-out', () => resolve(undefined));
      };
      this.timeline.after(ms, pass);
      const settle = (): void => {
        settled = true;
      };
      work.finally(settle).then(resolve, reject);
    });
  }

  #reach(point: string, step: () => void): void {
    if (!this.#alive) return;
    if (this.timeline.now < this.#stoppedUntil) {
      this.resume(this.#stoppedUntil - this.timeline.now, point, step);
      return;
    }
    const pause = this.chaos.pauses();
    if (pause > 0) {
      this.#stoppedUntil = this.timeline.now + pause;
      this.resume(pause, point, step);
    } else if (this.leaves(point)) step();
  }
}
