/** Giving out tokens: to a visitor's browser, to the bank's own servers, and anew before the old one ends. */

import { z } from 'zod';
import { addressKey, HttpError, whatIsWrong } from '../http.ts';
import { count, type Limiters } from './limits.ts';
import type { Clock, WebRecord } from './port.ts';
import { type Session, type Sessions, unknownConversation } from './sessions.ts';
import { TOKEN_SECONDS, TOLERANCE_SECONDS, type TokenClaims, type Tokens } from './tokens.ts';

/** A token as a Direct Line client is given it. */
export interface IssuedToken {
  readonly conversationId: string;
  readonly token: string;
  readonly expires_in: number;
}

/** A token for a visitor of our own page, and what their browser keeps to come back. */
export interface VisitorToken extends IssuedToken {
  readonly userId: string;
  readonly visitor: string;
}

/** What a visitor's browser brings. */
export interface VisitorRequest {
  /** What {@link VisitorToken.visitor} was last time. */
  readonly credential?: string | undefined;
  /** The conversation to go on with; a new one without. */
  readonly conversationId?: string | undefined;
  /** Who is calling, for the rate limit. */
  readonly address: string;
}

/** Whom a token is for. */
export interface TokenFor {
  readonly userId: string;
  readonly userName?: string | null;
  readonly conversationId?: string;
  /** The sites beside our own whose pages may use it. */
  readonly origins?: readonly string[];
  readonly newVisitor?: boolean;
}

const generateRequest = z.object({
  user: z
    .object({
      id: z
        .string()
        .regex(/^dl_[A-Za-z0-9_-]{1,64}$/, 'must be dl_ and up to 64 letters, digits, - or _')
        .optional(),
      name: z.string().max(100).optional(),
    })
    .optional(),
  trustedOrigins: z
    .array(
      z.string().regex(/^https?:\/\/[A-Za-z0-9.:[\]-]{1,255}$/, 'must be origins such as https://www.bank.example'),
    )
    .max(20)
    .optional(),
});

/** Issues, renews and revokes. */
export class Issuing {
  readonly #tokens: Tokens;
  readonly #sessions: Sessions;
  readonly #record: WebRecord;
  readonly #limiters: Limiters;
  readonly #clock: Clock;

  constructor(parts: { tokens: Tokens; sessions: Sessions; record: WebRecord; limiters: Limiters; clock: Clock }) {
    this.#tokens = parts.tokens;
    this.#sessions = parts.sessions;
    this.#record = parts.record;
    this.#limiters = parts.limiters;
    this.#clock = parts.clock;
  }

  /** A token of a new family. Its conversation begins when the client starts it. */
  async issue({
    userId,
    userName = null,
    conversationId,
    origins = [],
    newVisitor = false,
  }: TokenFor): Promise<IssuedToken> {
    const claims: TokenClaims = {
      conversationId: conversationId ?? this.#tokens.newId(),
      userId,
      userName,
      family: this.#tokens.newUuid(),
      tokenId: this.#tokens.newUuid(),
      origins,
      expiresAt: this.#tokens.expiry(),
    };
    const [token] = await Promise.all([this.#tokens.sign(claims), this.#record.openSession({ ...claims, newVisitor })]);
    return { conversationId: claims.conversationId, token, expires_in: TOKEN_SECONDS };
  }

  /**
   * A token for a visitor of our own page, who is known by the credential of their browser (ruling 44).
   * A credential that is missing, forged or forgotten makes a new visitor. A conversation that is not theirs is refused.
   */
  async forVisitor({ credential, conversationId, address }: VisitorRequest): Promise<VisitorToken> {
    await count(this.#limiters.tokensPerAddress, addressKey(address));
    const claimed = credential ? await this.#tokens.readVisitor(credential) : null;
    const found = await this.#look(claimed, conversationId);
    const known = found.welcome ? claimed : null;
    if (conversationId !== undefined && found.conversation === 'unknown') throw unknownConversation();
    if (conversationId !== undefined && (found.conversation === 'foreign' || known === null)) {
      throw new HttpError(403, 'other_conversation', 'This conversation is not yours.');
    }
    const userId = known ?? `dl_${this.#tokens.newId()}`;
    const issued = await this.issue({ userId, newVisitor: known === null, ...(conversationId && { conversationId }) });
    return { ...issued, userId, visitor: (known && credential) || (await this.#tokens.signVisitor(userId)) };
  }

  /** Ends a visitor's credential and all that was issued to them. Returns whose it was; null when it was none of ours. */
  async forget(credential: string): Promise<string | null> {
    const userId = await this.#tokens.readVisitor(credential);
    if (userId === null) return null;
    await this.#record.forgetVisitor(userId);
    this.#sessions.doubt((claims) => claims.userId === userId);
    return userId;
  }

  /** Ends all that was issued for a conversation. */
  async revokeConversation(conversationId: string): Promise<void> {
    await this.#record.revokeConversation(conversationId);
    this.#sessions.doubt((claims) => claims.conversationId === conversationId);
  }

  /** For the bank's own server, which has shown the secret. */
  async generate(body: unknown): Promise<IssuedToken> {
    const parsed = generateRequest.safeParse(body ?? {});
    if (!parsed.success) throw new HttpError(400, 'bad_token_request', whatIsWrong(parsed.error));
    const { user, trustedOrigins } = parsed.data;
    return await this.issue({
      userId: user?.id ?? `dl_${this.#tokens.newId()}`,
      userName: user?.name ?? null,
      origins: trustedOrigins ?? [],
    });
  }

  /** The next token of a family. The old one lives on for a minute, in case this answer is lost. */
  async refresh(session: Session): Promise<IssuedToken> {
    const { claims } = session;
    const next = { ...claims, tokenId: this.#tokens.newUuid(), expiresAt: this.#tokens.expiry() };
    const endsAt = new Date(this.#clock().getTime() + TOLERANCE_SECONDS * 1000);
    const [token, open] = await Promise.all([
      this.#tokens.sign(next),
      this.#record.renewSession(claims.family, claims.tokenId, endsAt, next.expiresAt),
    ]);
    if (!open) {
      this.#sessions.doubt(({ family }) => family === claims.family);
      throw new HttpError(403, 'revoked_token', 'This token was revoked. Ask for a new one.');
    }
    this.#sessions.ending(session, endsAt);
    return { conversationId: claims.conversationId, token, expires_in: TOKEN_SECONDS };
  }

  async #look(userId: string | null, conversationId: string | undefined): ReturnType<WebRecord['visitor']> {
    if (userId === null && conversationId === undefined) return { welcome: false, conversation: 'unknown' };
    return await this.#record.visitor(userId, conversationId ?? null);
  }
}
