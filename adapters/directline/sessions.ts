/** Who is asking: reads the token of a request, and remembers what it found so that the next message costs next to nothing. */

import type { IncomingMessage } from 'node:http';
import { CodedError } from '../channel.ts';
import { bearerOf, HttpError } from '../http.ts';
import type { Clock, WebRecord } from './port.ts';
import { Recent } from './recent.ts';
import { TOLERANCE_SECONDS, type TokenClaims, type Tokens } from './tokens.ts';

/** How long a family found open is believed before the record is asked again. */
const BELIEVED_MS = 30_000;
const REMEMBERED_TOKENS = 20_000;

/** A verified token. */
export interface Session {
  readonly token: string;
  readonly claims: TokenClaims;
}

interface Remembered extends Session {
  /** When the record was last asked; 0 asks again. */
  checkedAt: number;
  conversation: 'begun' | 'not_begun' | 'gone';
  /** When this very token ends: by its age, or soon after it was refreshed. */
  endsAt: number;
}

/** Verifies tokens. A token is verified once and its family checked every half minute; a revocation here counts at once. */
export class Sessions {
  readonly #tokens: Tokens;
  readonly #record: WebRecord;
  readonly #clock: Clock;
  readonly #remembered = new Recent<string, Remembered>(REMEMBERED_TOKENS);

  constructor(tokens: Tokens, record: WebRecord, clock: Clock) {
    this.#tokens = tokens;
    this.#record = record;
    this.#clock = clock;
  }

  /** The session of a request. Refuses with 401 without a token, 403 with one that is expired, revoked or not ours. */
  async of(request: IncomingMessage): Promise<Session> {
    const token = bearerOf(request);
    if (!token) throw new HttpError(401, 'no_token', 'Send a Direct Line token: Authorization: Bearer <token>.');
    const remembered = this.#remembered.get(token) ?? (await this.#read(token));
    const now = this.#clock().getTime();
    const believed = remembered.conversation === 'begun' && now - remembered.checkedAt <= BELIEVED_MS;
    if (!believed) await this.#check(remembered, now);
    if (now > remembered.endsAt) throw expired();
    return remembered;
  }

  /** The session of a request about one conversation. A token opens no other conversation than its own. */
  async in(request: IncomingMessage, conversationId: unknown): Promise<Session> {
    const session = await this.of(request);
    if (session.claims.conversationId === conversationId) return session;
    throw new HttpError(403, 'other_conversation', 'This token belongs to another conversation.');
  }

  /** Whom the token of a request speaks for, in a conversation that has begun. */
  async claimsOf(request: IncomingMessage): Promise<TokenClaims> {
    const session = await this.of(request);
    this.#refuseUnbegun(session);
    return session.claims;
  }

  /** As {@link in}, for what needs a conversation that has begun: 404 before, and after it was erased. */
  async inBegun(request: IncomingMessage, conversationId: unknown): Promise<Session> {
    const session = await this.in(request, conversationId);
    this.#refuseUnbegun(session);
    return session;
  }

  /** The conversation of this session has begun. */
  begun({ token }: Session): void {
    const remembered = this.#remembered.get(token);
    if (remembered) remembered.conversation = 'begun';
  }

  /** The token was refreshed: it lives on for a minute. */
  ending({ token }: Session, endsAt: Date): void {
    const remembered = this.#remembered.get(token);
    if (remembered) remembered.endsAt = Math.min(remembered.endsAt, endsAt.getTime());
  }

  /** Asks the record again before believing any token that matches. */
  doubt(matches: (claims: TokenClaims) => boolean): void {
    this.#remembered.deleteWhere(({ claims }) => matches(claims));
  }

  #refuseUnbegun({ token }: Session): void {
    const { conversation } = this.#remembered.get(token) ?? { conversation: 'begun' };
    if (conversation !== 'begun') throw unknownConversation();
  }

  async #read(token: string): Promise<Remembered> {
    const result = await this.#tokens.read(token);
    switch (result.read) {
      case 'expired':
        throw expired();
      case 'invalid':
        throw new HttpError(403, 'bad_token', 'This is not a token of this service.');
      case 'ok': {
        const { claims } = result;
        const endsAt = claims.expiresAt.getTime() + TOLERANCE_SECONDS * 1000;
        return { token, claims, checkedAt: 0, conversation: 'begun', endsAt };
      }
    }
  }

  async #check(remembered: Remembered, now: number): Promise<void> {
    const { token, claims } = remembered;
    const state = await this.#record.sessionState(claims.family, claims.tokenId).catch(whenRecordIsAway);
    if (state === 'away') {
      Object.assign(remembered, { conversation: 'begun', checkedAt: 0 });
      return;
    }
    if (state.state === 'revoked') {
      this.#remembered.delete(token);
      throw new HttpError(403, 'revoked_token', 'This token was revoked. Ask for a new one.');
    }
    if (state.tokenEndsAt) remembered.endsAt = Math.min(remembered.endsAt, state.tokenEndsAt.getTime());
    remembered.conversation = state.conversation;
    remembered.checkedAt = now;
    this.#remembered.set(token, remembered);
  }
}

export function unknownConversation(): HttpError {
  return new HttpError(404, 'unknown_conversation', 'There is no such conversation.');
}

/** Without the record nothing can be read or recorded, so the signature suffices until it is back: urgent messages still get in. */
function whenRecordIsAway(error: unknown): 'away' {
  if (error instanceof CodedError && error.code.startsWith('database_')) return 'away';
  throw error;
}

/** What Direct Line clients know an expired token by: the status 403 and this code. */
function expired(): HttpError {
  return new HttpError(403, 'TokenExpired', 'Token has expired.');
}
