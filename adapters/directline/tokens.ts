/** The credentials of the web channel: who may speak in which conversation, from which browser, and for how long. */

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Clock, Random } from './port.ts';

/** The keys of one generation, each for one purpose. `id` goes into what they sign, so that a new generation can take over. */
export interface DirectLineKeys {
  readonly id: string;
  readonly token: Uint8Array;
  readonly visitor: Uint8Array;
  readonly upload: Uint8Array;
}

/** What a Direct Line token says: one user in one conversation. */
export interface TokenClaims {
  readonly conversationId: string;
  readonly userId: string;
  readonly userName: string | null;
  /** All tokens that came from one another by refreshing: revoked together. */
  readonly family: string;
  /** This one token. */
  readonly tokenId: string;
  /** The sites beside our own whose pages may use it. */
  readonly origins: readonly string[];
  readonly expiresAt: Date;
}

/** What a stream ticket says: open one socket, soon, once. */
export interface TicketClaims {
  readonly conversationId: string;
  readonly userId: string;
  readonly family: string;
  readonly tokenId: string;
  readonly origins: readonly string[];
  /** The socket starts after this row. */
  readonly watermark: number;
  /** Identifies the ticket, so that it is used once. */
  readonly nonce: string;
}

/** What reading a token came to. */
export type ReadToken =
  | { readonly read: 'ok'; readonly claims: TokenClaims }
  | { readonly read: 'expired' | 'invalid' };

export const TOKEN_SECONDS = 1800;
/** How far two clocks may differ, and how long a refreshed token lives on. */
export const TOLERANCE_SECONDS = 60;
export const TICKET_SECONDS = 60;
const UPLOAD_LINK_SECONDS = 86_400;

const ISSUER = 'lobby';
const [DIRECT_LINE, STREAM, VISITOR] = ['directline', 'stream', 'visitor'];

const grant = z.object({
  conv: z.string(),
  user: z.string(),
  fam: z.string(),
  jti: z.string(),
  origins: z.array(z.string()).optional(),
});
const tokenShape = grant.extend({ name: z.string().optional(), exp: z.number() });
const ticketShape = grant.extend({ wm: z.number(), tok: z.string() });

/** Signs and reads every credential. The first generation of keys signs; all of them are read. */
export class Tokens {
  readonly #signing: DirectLineKeys;
  readonly #generations: ReadonlyMap<string, DirectLineKeys>;
  readonly #imported = new Map<Uint8Array, KeyObject>();
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(keys: readonly [DirectLineKeys, ...DirectLineKeys[]], clock: Clock, random: Random) {
    this.#signing = keys[0];
    this.#generations = new Map(keys.map((generation) => [generation.id, generation]));
    this.#clock = clock;
    this.#random = random;
  }

  /** A new conversation, file or visitor id: 128 random bits and a little, in 22 characters. */
  newId(): string {
    return this.#random(17).toString('base64url').slice(0, 22);
  }

  /** A new family or token id. */
  newUuid(): string {
    return uuidv7({ random: this.#random(16), msecs: this.#clock().getTime() });
  }

  expiry(): Date {
    return new Date(this.#clock().getTime() + TOKEN_SECONDS * 1000);
  }

  /** Signs a token. A token refreshed from another keeps its family and has an id of its own. */
  async sign(claims: TokenClaims): Promise<string> {
    const { conversationId: conv, userId: user, userName, family: fam, origins } = claims;
    return await this.#jwt(DIRECT_LINE, claims.tokenId, {
      conv,
      user,
      fam,
      ...(userName !== null && { name: userName }),
      ...(origins.length > 0 && { origins }),
    })
      .setExpirationTime(claims.expiresAt)
      .sign(this.#import(this.#signing.token));
  }

  async read(token: string): Promise<ReadToken> {
    const payload = await this.#verify(token, 'token', DIRECT_LINE, TOLERANCE_SECONDS);
    if (payload === 'expired' || payload === 'invalid') return { read: payload };
    const { data } = tokenShape.safeParse(payload);
    if (!data) return { read: 'invalid' };
    return {
      read: 'ok',
      claims: {
        conversationId: data.conv,
        userId: data.user,
        userName: data.name ?? null,
        family: data.fam,
        tokenId: data.jti,
        origins: data.origins ?? [],
        expiresAt: new Date(data.exp * 1000),
      },
    };
  }

  /** Signs what the stream's URL carries instead of a token. */
  async signTicket({ conversationId: conv, userId: user, family: fam, ...rest }: TokenClaims, watermark: number) {
    const { tokenId: tok, origins } = rest;
    const claims = { conv, user, fam, tok, wm: watermark, ...(origins.length > 0 && { origins }) };
    return await this.#jwt(STREAM, this.newId(), claims)
      .setExpirationTime(new Date(this.#clock().getTime() + TICKET_SECONDS * 1000))
      .sign(this.#import(this.#signing.token));
  }

  async readTicket(ticket: string): Promise<TicketClaims | null> {
    const { data } = ticketShape.safeParse(await this.#verify(ticket, 'token', STREAM, 0));
    if (!data) return null;
    const { conv: conversationId, user: userId, fam: family, tok: tokenId, wm: watermark, jti: nonce } = data;
    return { conversationId, userId, family, tokenId, watermark, nonce, origins: data.origins ?? [] };
  }

  /** Signs what a returning visitor's browser keeps. It has no end; forgetting the visitor ends it. */
  async signVisitor(userId: string): Promise<string> {
    return await this.#jwt(VISITOR, this.newId(), {}).setSubject(userId).sign(this.#import(this.#signing.visitor));
  }

  /** The visitor's user id; null for anything we did not sign. */
  async readVisitor(credential: string): Promise<string | null> {
    const payload = await this.#verify(credential, 'visitor', VISITOR, 0);
    return typeof payload === 'object' ? (payload.sub ?? null) : null;
  }

  /** What makes the address of a file loadable by an `<img>`, which can send no header. */
  uploadSignature(conversationId: string, uploadId: string): string {
    const ends = Math.floor(this.#clock().getTime() / 1000) + UPLOAD_LINK_SECONDS;
    return `${ends}.${this.#signing.id}.${uploadMac(this.#signing, conversationId, uploadId, ends)}`;
  }

  opensUpload(conversationId: string, uploadId: string, signature: string): boolean {
    const [ends = '', keyId = '', mac = ''] = signature.split('.');
    const generation = this.#generations.get(keyId);
    if (!generation || !/^\d{1,12}$/.test(ends) || Number(ends) * 1000 < this.#clock().getTime()) return false;
    return sameText(mac, uploadMac(generation, conversationId, uploadId, Number(ends)));
  }

  #jwt(audience: string, id: string, claims: JWTPayload): SignJWT {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: this.#signing.id })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setJti(id)
      .setIssuedAt(this.#clock());
  }

  async #verify(
    jwt: string,
    purpose: 'token' | 'visitor',
    audience: string,
    clockTolerance: number,
  ): Promise<JWTPayload | 'expired' | 'invalid'> {
    const findKey = ({ kid = '' }: { kid?: string }): KeyObject => {
      const generation = this.#generations.get(kid);
      if (!generation) throw new errors.JWSInvalid('signed by no key of ours');
      return this.#import(generation[purpose]);
    };
    const options = { algorithms: ['HS256'], issuer: ISSUER, audience, clockTolerance, currentDate: this.#clock() };
    try {
      return (await jwtVerify(jwt, findKey, options)).payload;
    } catch (error) {
      return error instanceof errors.JWTExpired ? 'expired' : 'invalid';
    }
  }

  #import(bytes: Uint8Array): KeyObject {
    let key = this.#imported.get(bytes);
    if (!key) {
      key = createSecretKey(bytes);
      this.#imported.set(bytes, key);
    }
    return key;
  }
}

/** Compares secrets without telling by the time it takes how far they agree. */
export function sameText(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'lobby compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function uploadMac(keys: DirectLineKeys, conversationId: string, uploadId: string, ends: number): string {
  return createHmac('sha256', keys.upload).update(`${conversationId}\n${uploadId}\n${ends}`).digest('base64url');
}
