/** The credentials of the web channel. */

import { randomBytes } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { type DirectLineKeys, sameText, type TokenClaims, Tokens } from '../../../adapters/directline/tokens.ts';

let now: Date;
let keys: DirectLineKeys;
let tokens: Tokens;
let claims: TokenClaims;

const generation = (id: string): DirectLineKeys => ({
  id,
  token: randomBytes(32),
  visitor: randomBytes(32),
  upload: randomBytes(32),
});
const pass = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};

beforeEach(() => {
  now = new Date('2026-11-23T08:00:00Z');
  keys = generation('k1');
  tokens = new Tokens([keys], () => now, randomBytes);
  claims = {
    conversationId: tokens.newId(),
    userId: `dl_${tokens.newId()}`,
    userName: '王芳',
    family: tokens.newUuid(),
    tokenId: tokens.newUuid(),
    origins: ['https://www.bank.example'],
    expiresAt: tokens.expiry(),
  };
});

describe('a Direct Line token', () => {
  it('says again what was signed', async () => {
    expect(await tokens.read(await tokens.sign(claims))).toEqual({ read: 'ok', claims });
  });

  it('shows clients its user, as they expect of Direct Line', async () => {
    expect(decodeJwt(await tokens.sign(claims))).toMatchObject({ user: claims.userId, conv: claims.conversationId });
  });

  it('lives half an hour and the minute by which clocks may differ', async () => {
    const token = await tokens.sign(claims);
    pass(30 * 60 + 59);
    expect(await tokens.read(token)).toMatchObject({ read: 'ok' });
    pass(2);
    expect(await tokens.read(token)).toEqual({ read: 'expired' });
  });

  it('is believed only when we signed it, with this algorithm, for this purpose', async () => {
    const stranger = new Tokens([{ ...generation('k1') }], () => now, randomBytes);
    expect(await tokens.read(await stranger.sign(claims))).toEqual({ read: 'invalid' });
    expect(await tokens.read(await tokens.signTicket(claims, 0))).toEqual({ read: 'invalid' });
    expect(await tokens.read(await tokens.signVisitor(claims.userId))).toEqual({ read: 'invalid' });
    const unsigned = `${Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')}.${(await tokens.sign(claims)).split('.')[1]}.`;
    expect(await tokens.read(unsigned)).toEqual({ read: 'invalid' });
    expect(await tokens.read('')).toEqual({ read: 'invalid' });
    const incomplete = await new SignJWT({ user: 'dl_x' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setIssuer('lobby')
      .setAudience('directline')
      .setExpirationTime(new Date(now.getTime() + 60_000))
      .sign(keys.token);
    expect(await tokens.read(incomplete)).toEqual({ read: 'invalid' });
  });

  it('signed before the keys changed is read after', async () => {
    const token = await tokens.sign(claims);
    const later = new Tokens([generation('k2'), keys], () => now, randomBytes);
    expect(await later.read(token)).toMatchObject({ read: 'ok' });
    expect(await new Tokens([generation('k2')], () => now, randomBytes).read(token)).toEqual({ read: 'invalid' });
  });
});

describe('a stream ticket', () => {
  it('names the row to go on after, and has a nonce of its own', async () => {
    const [first, second] = [await tokens.signTicket(claims, 7), await tokens.signTicket(claims, 7)];
    const ticket = await tokens.readTicket(first);
    expect(ticket).toMatchObject({ conversationId: claims.conversationId, family: claims.family, watermark: 7 });
    expect((await tokens.readTicket(second))?.nonce).not.toBe(ticket?.nonce);
  });

  it('ends after a minute, and a token is none', async () => {
    const ticket = await tokens.signTicket(claims, 0);
    expect(await tokens.readTicket(await tokens.sign(claims))).toBeNull();
    pass(61);
    expect(await tokens.readTicket(ticket)).toBeNull();
  });
});

describe('a visitor’s credential', () => {
  it('names the visitor for years, and a token is none', async () => {
    const credential = await tokens.signVisitor(claims.userId);
    pass(3 * 365 * 86_400);
    expect(await tokens.readVisitor(credential)).toBe(claims.userId);
    expect(await tokens.readVisitor(await tokens.sign(claims))).toBeNull();
    expect(await tokens.readVisitor('forged')).toBeNull();
  });
});

describe('the address of a file', () => {
  it('opens this file of this conversation for a day', () => {
    const signature = tokens.uploadSignature('conversation', 'file');
    expect(tokens.opensUpload('conversation', 'file', signature)).toBe(true);
    expect(tokens.opensUpload('other', 'file', signature)).toBe(false);
    expect(tokens.opensUpload('conversation', 'other', signature)).toBe(false);
    pass(86_401);
    expect(tokens.opensUpload('conversation', 'file', signature)).toBe(false);
  });

  it('cannot be given more time, nor be made up', () => {
    const [ends = '', ...rest] = tokens.uploadSignature('conversation', 'file').split('.');
    expect(tokens.opensUpload('conversation', 'file', [Number(ends) + 1, ...rest].join('.'))).toBe(false);
    for (const forged of ['', '..', 'x.y.z', '9999999999.k1.']) {
      expect(tokens.opensUpload('conversation', 'file', forged)).toBe(false);
    }
  });
});

it('new ids are 22 characters of base64url, and no two are the same', () => {
  const ids = new Set(Array.from({ length: 1000 }, () => tokens.newId()));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
});

it('secrets are compared whole', () => {
  expect(sameText('secret', 'secret')).toBe(true);
  expect(sameText('secret', 'secret2')).toBe(false);
  expect(sameText('', 'secret')).toBe(false);
});
