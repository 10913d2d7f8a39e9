/** Which web sites' pages may use the chat: our own, the bank's, and those a token names. */

import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { HttpError, ownOrigin, type TrustedProxies } from '../http.ts';

/** What the bank says of its sites. */
export interface OriginRules {
  /** `CHAT_ORIGINS`; `*` means any. */
  readonly chatOrigins: readonly string[];
  /** How customers reach us, if that is not the address we are called by. */
  readonly publicUrl: string | null;
  readonly trustedProxies: TrustedProxies;
  /** Whether tokens may name further sites: only a bank's server can ask for such a token. */
  readonly tokensNameOrigins: boolean;
}

/** Answers for the `Origin` header. A caller without one is no page, and its token or ticket is all that counts. */
export class Origins {
  readonly #rules: OriginRules;

  constructor(rules: OriginRules) {
    this.#rules = rules;
  }

  /** Our own origin, as this caller reaches it. */
  own(request: IncomingMessage): string {
    return this.#rules.publicUrl ?? ownOrigin(request, this.#rules.trustedProxies);
  }

  allows(request: IncomingMessage, named: readonly string[]): boolean {
    const { origin } = request.headers;
    if (origin === undefined || named.includes(origin)) return true;
    const { chatOrigins } = this.#rules;
    return chatOrigins.includes('*') || chatOrigins.includes(origin) || hostOf(origin) === hostOf(this.own(request));
  }

  refuseForeign(request: IncomingMessage, named: readonly string[] = []): void {
    if (this.allows(request, named)) return;
    throw new HttpError(403, 'origin_not_allowed', 'Pages of this site may not use the chat. Add it to CHAT_ORIGINS.');
  }

  /** What lets a page of another site read the answer. Whether it gets anything but a refusal is decided with its token. */
  headersFor(request: IncomingMessage): OutgoingHttpHeaders {
    const { origin } = request.headers;
    if (origin === undefined) return {};
    const readable = this.#rules.tokensNameOrigins || this.allows(request, []);
    return {
      vary: 'Origin',
      ...(readable && { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'Retry-After' }),
    };
  }

  /** The answer to a preflight: what Direct Line clients send. */
  preflightHeaders(request: IncomingMessage): OutgoingHttpHeaders {
    return {
      ...this.headersFor(request),
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type, x-requested-with, x-ms-bot-agent',
      'access-control-max-age': '7200',
    };
  }
}

/** Scheme left out: a proxy that ends TLS may call us by http. */
function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2);
}
