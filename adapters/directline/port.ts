/** What the web channel needs from the customer record, the log and the metrics. Types only. */

import type { RecordedActivity } from '../../record/types.ts';

/** What became of beginning a conversation. */
export type Begun = 'begun' | 'known' | 'foreign' | 'gone';

/** Who a web conversation belongs to. */
export type Ownership = 'own' | 'foreign' | 'unknown';

/** A token family as the record knows it. */
export type SessionState =
  | { readonly state: 'open'; readonly conversation: 'begun' | 'not_begun' | 'gone'; readonly tokenEndsAt: Date | null }
  | { readonly state: 'revoked' };

/** One token family: everything issued to one browser for one conversation. */
export interface NewSession {
  readonly family: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly expiresAt: Date;
  /** True when this is the first token of a visitor nobody knew before. */
  readonly newVisitor: boolean;
}

/** What an open socket knows, for the sweep to compare with the record. */
export interface WatchedSocket {
  readonly family: string;
  readonly seq: number;
}

/** What the sweep found wrong with one of the sockets it was given. */
export interface SweepFinding {
  /** Its place in the list that was given. */
  readonly index: number;
  readonly finding: 'behind' | 'ended';
  readonly seq: number;
}

/** A file a customer sends. */
export interface NewUpload {
  readonly id: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** The record of the web channel. `record/web-chat.ts` is one. */
export interface WebRecord {
  openSession(session: NewSession): Promise<void>;
  sessionState(family: string, tokenId: string): Promise<SessionState>;
  /** Ends one token at `endsAt` and prolongs its family. False when the family is revoked. */
  renewSession(family: string, tokenId: string, endsAt: Date, expiresAt: Date): Promise<boolean>;
  /** Ends every family of a visitor and their credential for ever. */
  forgetVisitor(userId: string): Promise<void>;
  /** Ends every family of a conversation. */
  revokeConversation(conversationId: string): Promise<void>;
  /** Whether this visitor may come back, and whose the conversation is (if one is named). */
  visitor(
    userId: string | null,
    conversationId: string | null,
  ): Promise<{ readonly welcome: boolean; readonly conversation: Ownership }>;
  begin(conversationId: string, userId: string): Promise<Begun>;
  /** At most `limit` rows after `seq`, in order; hidden rows come with an empty body. */
  rowsAfter(conversationId: string, seq: number, limit: number): Promise<readonly RecordedActivity[]>;
  confirmSeen(confirmations: readonly { readonly conversationId: string; readonly seq: number }[]): Promise<void>;
  /** What is wrong with these sockets at `now`, in one query. Those in order are not mentioned. */
  sweep(sockets: readonly WatchedSocket[], now: Date): Promise<readonly SweepFinding[]>;
  /** False when the conversation would hold more than `roomBytes` of files. */
  keepUploads(conversationId: string, uploads: readonly NewUpload[], roomBytes: number): Promise<boolean>;
  /** Ties files to the message that carried them; unclaimed ones are thrown away after a day. */
  claimUploads(ids: readonly string[], seq: number): Promise<void>;
  dropUploads(ids: readonly string[]): Promise<void>;
  /** Null when there is none, or when its owner was forgotten or erased. */
  upload(
    conversationId: string,
    id: string,
  ): Promise<{ readonly name: string; readonly contentType: string; readonly bytes: Buffer } | null>;
  /** Throws away what nobody can use any more. */
  prune(now: Date): Promise<void>;
}

/** Where the channel says what an operator should know. Never a customer's words, never an id. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The figures of the channel. */
export interface DirectLineMetrics {
  socketsOpen(count: number): void;
  socketClosed(code: number): void;
  refused(reason: string): void;
  /** A message without a key of its own: its repeats cannot be recognised. */
  keyless(): void;
}

/** What time it is. */
export type Clock = () => Date;

/** Random bytes. */
export type Random = (bytes: number) => Buffer;
