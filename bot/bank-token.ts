/** How the bank says who a customer is: a short-lived token signed with a key that only the bank and Lobby have. */

import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { HttpError } from '../adapters/http.ts';

/** The longest a bank's token may live, and how far the two clocks may differ, in seconds. */
const LONGEST_LIFE_S = 600;
const CLOCK_TOLERANCE_S = 60;

const Claims = z.object({
  /** The bank's customer number. */
  customer: z.string().min(1).max(100),
  name: z.string().min(1).max(100).optional(),
  iat: z.number(),
  exp: z.number(),
});

/** A customer the bank vouches for. `bankRef` finds their record and reveals nothing. */
export interface Vouched {
  readonly bankRef: string;
  readonly name: string | null;
}

/** Verifies and (in the demo) issues the bank's tokens. */
export interface BankTokens {
  /** Throws a 401 {@link HttpError} for a token that is not the bank's, too old, or made to live too long. */
  verify(token: string): Promise<Vouched>;
  /** Plays the bank: signs a token for one of its customers. */
  sign(customer: { readonly number: string; readonly name: string }): Promise<string>;
  /** The fingerprint by which a customer number is kept. */
  bankRef(number: string): string;
}

export function createBankTokens(key: Uint8Array, indexKey: Uint8Array, now: () => Date): BankTokens {
  const bankRef = (number: string): string => createHmac('sha256', indexKey).update(number).digest('base64url');
  return {
    bankRef,
    async verify(token) {
      const claims = await claimsOf(token, key, now);
      if (claims.exp - claims.iat > LONGEST_LIFE_S) {
        throw refused(`The bank’s token may live at most ${LONGEST_LIFE_S} seconds.`);
      }
      return { bankRef: bankRef(claims.customer), name: claims.name ?? null };
    },
    sign({ number, name }) {
      const issued = Math.floor(now().getTime() / 1000);
      return new SignJWT({ customer: number, name })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuedAt(issued)
        .setExpirationTime(issued + LONGEST_LIFE_S / 2)
        .sign(key);
    },
  };
}

async function claimsOf(token: string, key: Uint8Array, now: () => Date): Promise<z.infer<typeof Claims>> {
  try {
    const options = { algorithms: ['HS256'], currentDate: now(), clockTolerance: CLOCK_TOLERANCE_S };
    const { payload } = await jwtVerify(token, key, options);
    return Claims.parse(payload);
  } catch (cause) {
    throw refused(
      'The bank’s token is not valid: it needs the claims customer, iat and exp, signed HS256 with BANK_TOKEN_KEY.',
      cause,
    );
  }
}

function refused(message: string, cause?: unknown): HttpError {
  return new HttpError(401, 'bank_token_refused', message, { cause });
}
