/** Visits: a stretch of a conversation, from a customer's message until nobody has spoken for a while. */

/** A visit ends after this long without a message. */
export const VISIT_QUIET_MS = 30 * 60_000;

/** A timer to be set with a turn. */
export interface VisitTimer {
  readonly id: string;
  readonly kind: 'idle';
  readonly subject: string;
  readonly dueInMs: number;
  readonly payload: Readonly<Record<string, never>>;
}

/** The beginning of a visit, or a message within one. */
export interface VisitBeginning {
  readonly timers: readonly VisitTimer[];
  /** The turn that sets them is recorded; a turn that lost its race sets nothing, and its next run must try again. */
  recorded(): void;
}

const MOST = 50_000;

/** Sets the end of a visit with its first message here; later ones cost nothing, because the timer itself looks when it is due. */
export class Visits {
  readonly #newId: () => string;
  readonly #now: () => number;
  readonly #quietMs: number;
  /** Until when a conversation's timer is known to wait. */
  readonly #armed = new Map<string, number>();

  /** `now` is in milliseconds and only grows. */
  constructor(newId: () => string, now: () => number, quietMs: number = VISIT_QUIET_MS) {
    this.#newId = newId;
    this.#now = now;
    this.#quietMs = quietMs;
  }

  /** With a customer's message: one timer to set, or none when it is set already. */
  begin(conversationId: string): VisitBeginning {
    const now = this.#now();
    if ((this.#armed.get(conversationId) ?? 0) > now) return { timers: [], recorded: () => undefined };
    const timer = {
      id: this.#newId(),
      kind: 'idle',
      subject: conversationId,
      dueInMs: this.#quietMs,
      payload: {},
    } as const;
    return { timers: [timer], recorded: () => this.#remember(conversationId, now + this.#quietMs) };
  }

  #remember(conversationId: string, until: number): void {
    this.#armed.delete(conversationId);
    this.#armed.set(conversationId, until);
    if (this.#armed.size <= MOST) return;
    const oldest = this.#armed.keys().next();
    if (!oldest.done) this.#armed.delete(oldest.value);
  }
}
