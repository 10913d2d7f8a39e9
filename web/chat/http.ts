/** One request to the bank, and what its refusal means to the customer. */

/** Why a request did not succeed, by what can be done about it. */
export type Trouble =
  /** No answer, or one that says "try again". Whether it was done is unknown: repeat it under the same key. */
  | { readonly kind: 'network' }
  /** The bank asks to wait. */
  | { readonly kind: 'busy'; readonly waitMs: number }
  /** The token is no longer good. */
  | { readonly kind: 'expired' }
  /** There is no such conversation any more. */
  | { readonly kind: 'gone' }
  /** It will never be accepted as it is. */
  | { readonly kind: 'refused'; readonly status: number };

export class LineTrouble extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, options?: ErrorOptions) {
    super(trouble.kind, options);
    this.name = 'LineTrouble';
    this.trouble = trouble;
  }
}

export type Http = (url: string, init: RequestInit) => Promise<Response>;

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly token?: string | undefined;
  /** JSON, or a form. */
  readonly body?: object;
  readonly limitMs?: number;
}

/** Longer than the bank's own limit for a turn, so that a slow answer is not asked for twice. */
const ANSWER_LIMIT_MS = 20_000;

const DEFAULT_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;

/** Resolves only with a success. Throws {@link LineTrouble}. */
export async function ask(http: Http, url: string, question: Question): Promise<Response> {
  const reply = await send(http, url, question);
  if (reply.ok) return reply;
  throw new LineTrouble(troubleOf(reply));
}

/** The JSON of the answer; an answer cut off half-way counts as none. */
export async function askJson(http: Http, url: string, question: Question): Promise<Readonly<Record<string, unknown>>> {
  const reply = await ask(http, url, question);
  try {
    return Object(await reply.json());
  } catch (cause) {
    throw new LineTrouble({ kind: 'network' }, { cause });
  }
}

export function troubleIn(error: unknown): Trouble {
  return error instanceof LineTrouble ? error.trouble : { kind: 'network' };
}

async function send(http: Http, url: string, question: Question): Promise<Response> {
  const { token, body } = question;
  const isForm = body instanceof FormData;
  const limit = new AbortController();
  const giveUp = setTimeout(() => limit.abort(), question.limitMs ?? ANSWER_LIMIT_MS);
  try {
    return await http(url, {
      method: question.method ?? 'POST',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && !isForm && { 'content-type': 'application/json' }),
      },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
      cache: 'no-store',
      signal: limit.signal,
    });
  } catch (cause) {
    throw new LineTrouble({ kind: 'network' }, { cause });
  } finally {
    clearTimeout(giveUp);
  }
}

function troubleOf(reply: Response): Trouble {
  switch (reply.status) {
    case 401:
    case 403:
      return { kind: 'expired' };
    case 404:
    case 410:
      return { kind: 'gone' };
    case 429:
    case 503:
      return { kind: 'busy', waitMs: waitOf(reply.headers.get('retry-after')) };
    default:
      return reply.status >= 500 || reply.status === 408
        ? { kind: 'network' }
        : { kind: 'refused', status: reply.status };
  }
}

function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, LONGEST_WAIT_MS) : DEFAULT_WAIT_MS;
}
