/** Overload: tells when the record cannot keep up, so that new visitors are asked to wait before those inside suffer. */

/** Turns that wait this long for their commit to begin, for so long, mean that the record cannot keep up. */
const TOO_LONG_MS = 500;
const FOR_MS = 1_000;
const SAMPLE_EVERY_MS = 100;

/** Watches how long turns wait for their commit. */
export class Pressure {
  readonly #waitMs: () => number;
  readonly #now: () => number;
  #since: number | null = null;

  /** `waitMs`: how long turns wait now. `now`: milliseconds that only grow. */
  constructor(waitMs: () => number, now: () => number) {
    this.#waitMs = waitMs;
    this.#now = now;
  }

  /** Looks once. */
  sample(): void {
    if (this.#waitMs() <= TOO_LONG_MS) this.#since = null;
    else this.#since ??= this.#now();
  }

  /** Whether new conversations should come back later. */
  get high(): boolean {
    return this.#since !== null && this.#now() - this.#since >= FOR_MS;
  }

  /** Looks ten times a second; returns what ends it. */
  watch(): () => void {
    const timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS).unref();
    return () => clearInterval(timer);
  }
}
