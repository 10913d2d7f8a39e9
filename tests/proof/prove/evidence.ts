/** What the customers of a run have seen with their own eyes: the record is judged by it. */

/** One message a customer sent, again and again under the same key until it was taken. */
export interface Sent {
  /** What the customer calls it. */
  readonly name: string;
  /** The last part of the cause's key in the record; no two messages of a run share it. */
  readonly key: string;
  /** Whether the bank owes an answer: events need none. */
  readonly expectsAnswer: boolean;
  /** Whether a 200 came back. */
  acknowledged: boolean;
  /** Every place in the conversation that was named in a 200. */
  readonly seqs: number[];
  readonly attempts: { count: number };
  /** Answers other than 200, 429 and 503. */
  readonly oddities: string[];
}

/** One activity a client was handed. */
export interface Shown {
  readonly seq: number;
  /** Set when it is one of the customer's own messages. */
  readonly key: string | null;
  /** False for the echo of a repeat, which stands outside the order. */
  readonly inOrder: boolean;
}

/** One message that arrived at an outside channel. */
export interface Delivery {
  readonly thread: string;
  /** The key of the message it answers. */
  readonly key: string;
  readonly text: string;
}

export type Conversation =
  | {
      readonly channel: 'web';
      readonly conversationId: string;
      readonly sent: readonly Sent[];
      readonly shown: readonly Shown[];
    }
  | { readonly channel: 'azure'; readonly thread: string; readonly sent: readonly Sent[] };

/** Everything seen from outside of one database. */
export interface Evidence {
  readonly conversations: readonly Conversation[];
  /** In the order of arrival. */
  readonly deliveries: readonly Delivery[];
}

export function newMessage(name: string, key: string, expectsAnswer: boolean): Sent {
  return { name, key, expectsAnswer, acknowledged: false, seqs: [], attempts: { count: 0 }, oddities: [] };
}
