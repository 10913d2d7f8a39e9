/** The port types of the customer record: what the record stores and what it needs from a database. No code. */

/** The languages a customer can be served in. */
export type Language = 'zh' | 'en';

/** One PostgreSQL connection pool, or one connection inside a transaction. */
export interface Database {
  /**
   * Runs one statement and returns its rows. Parameters are bound (`$1`, `$2`, …).
   * `name` keeps the statement prepared on each connection: use it on the path of every turn.
   *
   * Throws a coded error: `database_unavailable` (certainly nothing was done), `database_unknown`
   * (the connection was lost while the statement ran: it may have been done), `database_timeout`
   * (certainly not done), or the driver's error with its SQLSTATE in `code` for a refused statement.
   */
  query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
  /** Runs `work` inside one transaction on one connection; rolls back when it throws. */
  transaction<Result>(work: (database: Database) => Promise<Result>): Promise<Result>;
}

/** Who may speak to the customer now: the bot, nobody (closed), or one member of staff by id. */
export type Owner = string;

/** Who said a recorded activity. */
export type Speaker = 'customer' | 'bot' | 'staff' | 'system';

/** `in`: from the customer. `out`: shown to the customer. `event`: recorded, never shown. */
export type Direction = 'in' | 'out' | 'event';

/** A Bot Framework activity as the record keeps it: masked JSON without id, time and conversation, which the row carries. */
export type ActivityBody = Readonly<Record<string, unknown>>;

/** One row of a conversation. `seq` is dense from 1: the order of everything, and Direct Line's watermark. */
export interface RecordedActivity {
  readonly conversationId: string;
  readonly seq: number;
  /** The conversation's version after the commit that wrote it: rows of one turn share it. */
  readonly turn: number;
  readonly direction: Direction;
  readonly speaker: Speaker;
  /** ISO instant of the commit. For people, never for order. */
  readonly at: string;
  readonly body: ActivityBody;
}

/** What a turn needs to know before it runs, read in one query. */
export interface TurnState {
  readonly conversationId: string;
  /** 0 when the conversation has no row yet. */
  readonly version: number;
  readonly seq: number;
  readonly owner: Owner;
  readonly epoch: number;
  /** The bot's dialog state: storage key to JSON. */
  readonly state: Readonly<Record<string, unknown>>;
  readonly language: Language | null;
  /** True when the customer chose the language; what they write no longer changes it. */
  readonly languageChosen: boolean;
  /** The customer's last three texts, oldest first: a number sent in pieces is recognised by them. */
  readonly recent: readonly string[];
  /** The open request for a person, if there is one. */
  readonly openHandoff: { readonly number: string; readonly at: string } | null;
}

/** What a turn changes in the record besides its activities, applied inside its commit. `ref` names what a reply's placeholder stands for. */
export type Effect =
  /** Records that the customer asked for (or needs) a person. One is open at a time: asking again returns the same number. */
  | { readonly kind: 'handoff.request'; readonly ref: string; readonly code: string; readonly priority: number }
  | { readonly kind: 'handoff.cancel' }
  | { readonly kind: 'language'; readonly language: Language; readonly chosen: boolean }
  /** One line of the consent ledger: what the customer was told, or agreed to, and in which words. */
  | {
      readonly kind: 'consent';
      readonly purpose: string;
      readonly action: 'told' | 'grant' | 'refuse' | 'withdraw';
      readonly textVersion: string;
      readonly language: Language;
    }
  | { readonly kind: 'conversation.end' };

/** A timer row: something that will be a turn of this conversation at `due`. */
export interface TimerRow {
  readonly id: string;
  /** `answer`: the answer to a message that was recorded alone. `idle`: the visit ends if nobody has spoken. */
  readonly kind: 'answer' | 'idle';
  readonly conversationId: string;
  readonly subject: string;
  readonly due: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Everything one turn writes. It is written whole or not at all. */
export interface TurnCommit {
  readonly conversationId: string;
  /** The version the turn was run on. */
  readonly seen: number;
  /** The owner's epoch the turn was run on; a bot's text under an older one is refused. */
  readonly epoch: number;
  readonly key: string;
  readonly cause: { readonly direction: Direction; readonly speaker: Speaker; readonly body: ActivityBody };
  readonly replies: readonly { readonly speaker: Speaker; readonly body: ActivityBody }[];
  /** The dialog state after the turn; null leaves it as it is. */
  readonly state: Readonly<Record<string, unknown>> | null;
  /** The owner after the turn; absent leaves it. A change raises the epoch. */
  readonly owner?: Owner;
  readonly effects: readonly Effect[];
  /** Where the replies are queued to be sent; null when the customer's client reads them from the record. */
  readonly outbox: { readonly channel: string; readonly route: string; readonly class: MessageClass } | null;
  readonly timersSet: readonly {
    readonly id: string;
    readonly kind: TimerRow['kind'];
    readonly subject: string;
    readonly dueInMs: number;
    readonly payload: Readonly<Record<string, unknown>>;
  }[];
  /** The timer this turn is the firing of: it must still be waiting. */
  readonly firing?: string;
}

/** What a turn starts from: the conversation, or that it is not there, or that this key was recorded before. */
export type Loaded =
  | { readonly found: 'conversation'; readonly turn: TurnState }
  | { readonly found: 'repeat'; readonly causeSeq: number }
  | { readonly found: 'nothing' }
  | { readonly found: 'erased' };

/** A thread of a channel on which a customer begins by speaking. */
export interface NewThread {
  readonly conversationId: string;
  readonly channel: string;
  readonly threadKey: string;
  readonly account: string;
  readonly externalId: string;
}

/** What the turn gate needs of the record: `record/conversations.ts` on a database. */
export interface TurnRecord {
  /** Reads what a turn of this conversation needs, and whether `key` has had its turn. */
  load(conversationId: string, key: string): Promise<Loaded>;
  /** Writes one turn, whole or not at all. `database_unknown` means it may have been written: look its key up. */
  commit(turn: TurnCommit): Promise<CommitResult>;
  /** The rows of the turn that the activity at `causeSeq` began, cause first. */
  rows(conversationId: string, causeSeq: number): Promise<readonly RecordedActivity[]>;
  /** Writes the identity and the conversation of a thread nobody has spoken in yet. Does nothing when it is there. */
  begin(thread: NewThread): Promise<void>;
}

/** How hard a message is tried: see `record/outbox.ts`. */
export type MessageClass = 'must' | 'staff' | 'once' | 'drop';

/** What became of a commit. All five are expected. */
export type CommitResult =
  | {
      readonly outcome: 'ok';
      readonly version: number;
      readonly causeSeq: number;
      readonly at: string;
      readonly numbers: Readonly<Record<string, string>>;
      readonly epoch: number;
    }
  | { readonly outcome: 'duplicate'; readonly causeSeq: number }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'not_owner' }
  | { readonly outcome: 'gone' };
