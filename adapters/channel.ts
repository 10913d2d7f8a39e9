/** What every channel agrees on with the service: how a message is handed in, what comes back, and how errors are named. */

import type { Activity } from 'botbuilder';
import type { RecordedActivity } from '../record/types.ts';

/** The channels a customer can reach the bank through. */
export type ChannelName = 'web' | 'azure';

/**
 * How the replies of a turn reach the customer.
 * - `stream`: the customer's client reads them from the record (Direct Line); nothing is queued.
 * - `inline`: the caller puts them into its own response (`expectReplies`, `invoke`); nothing is queued.
 * - `outbox`: one row per reply is queued in the same commit; `route` is what the channel needs to send it (sealed, opaque to the record).
 */
export type Delivery =
  | { readonly by: 'stream' }
  | { readonly by: 'inline' }
  | { readonly by: 'outbox'; readonly route: string };

/** One verified message on its way in. The adapter has authenticated it and bounded its size; the gate masks it. */
export interface Inbound {
  readonly channel: ChannelName;
  /** 22 characters of base64url. */
  readonly conversationId: string;
  /** The identity of the cause, at most 200 characters: the same key causes at most one turn, for ever. Never logged. */
  readonly key: string;
  readonly activity: Partial<Activity>;
  readonly delivery: Delivery;
}

/** What became of a message. Expected outcomes are values; the gate throws only for defects. */
export type TurnOutcome =
  /** Recorded. The cause comes first, then the replies, in order. */
  | { readonly status: 'done'; readonly activities: readonly RecordedActivity[] }
  /** This key was recorded before: the rows of that turn, cause first. No second turn ran. */
  | { readonly status: 'repeat'; readonly activities: readonly RecordedActivity[] }
  /** Refused at the door, nothing recorded: this conversation has too many messages waiting, or the service is full. */
  | { readonly status: 'busy'; readonly retryAfterSeconds: number }
  /** Nothing recorded: the record cannot be written now. */
  | { readonly status: 'unavailable'; readonly retryAfterSeconds: number }
  /** Nothing recorded: there is no such conversation (it was erased, or never begun). */
  | { readonly status: 'unknown_conversation' };

/** The only way to run a turn. */
export interface TurnGate {
  receive(inbound: Inbound): Promise<TurnOutcome>;
}

/** "Conversation X has rows up to seq": a hint that may be lost, never the truth. */
export interface WakeHint {
  readonly conversationId: string;
  readonly seq: number;
  /** The rows just committed, when the committer is in this process. Saves the reader a query. */
  readonly activities?: readonly RecordedActivity[];
  /** Messages were queued to be pushed: the sender need not wait for its poll. */
  readonly queued?: boolean;
  /** Another instance committed it: what this one remembers of the conversation is old. */
  readonly elsewhere?: boolean;
}

/** The right to work on a conversation, among several instances. A saving, never a lock: nothing is decided by it. */
export interface Lease {
  /** Waits a moment for another instance to be done; resolves whether or not the lease was got. */
  take(conversationId: string): Promise<void>;
}

/** Carries hints from whoever commits to whoever holds a customer's socket. */
export interface Wake {
  publish(hint: WakeHint): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (hint: WakeHint) => void): () => void;
}

/** Sends one queued message over a channel that needs pushing (not the web). */
export interface Sender {
  readonly channel: ChannelName;
  /** Resolves to the channel's own id of the message. Throws a {@link CodedError} whose `code` says what is known of the outcome: see `record/outbox.ts`. */
  send(message: {
    readonly route: string;
    readonly activities: readonly RecordedActivity[];
  }): Promise<{ readonly wireId: string | null }>;
}

/**
 * An error somebody can act on: a stable code, a sentence, the cause.
 * Only `bot/` and the channel's own routes turn codes into HTTP.
 *
 * @example throw new CodedError('database_unavailable', 'PostgreSQL does not answer; check DATABASE_URL.', { cause })
 */
export class CodedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
  }
}
