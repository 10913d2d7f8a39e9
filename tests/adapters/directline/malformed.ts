/** Sends requests no decent client would send, byte for byte, and says what each was answered. */

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { MALFORMED_CASES } from './malformed.corpus.ts';

/** Two visitors with a conversation each that has begun; the corpus speaks as the first. */
export interface MalformedContext {
  readonly token: string;
  readonly conversationId: string;
  readonly otherToken: string;
  readonly otherConversationId: string;
}

/** What a case is built from. */
export interface Target extends MalformedContext {
  readonly base: URL;
  /** Sends a request of its own and resolves with the answer: for cases that need one before. */
  ask(bytes: Buffer): Promise<RawAnswer>;
}

/** What is written, piece by piece. `pauseMs` waits before each further piece; `hangUp` ends our side after the last. */
export interface Payload {
  readonly pieces: readonly Buffer[];
  readonly pauseMs?: number;
  readonly hangUp?: boolean;
}

/** One malformed request and what must become of it. */
export interface MalformedCase {
  readonly name: string;
  readonly build: (target: Target) => Buffer | Payload | Promise<Buffer | Payload>;
  /** The statuses that are right; all are 4xx. */
  readonly status: readonly number[];
  /** When we hang up in the middle of a request, no answer at all is right too. */
  readonly mayBeCut?: boolean;
  /** How long the answer may take, where the request itself is slow. */
  readonly withinMs?: number;
}

/** What came back over the wire. */
export interface RawAnswer {
  /** Null when the connection ended, or time was up, without a status line. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True when nothing ended the exchange in time. */
  readonly hung: boolean;
}

/** One case and its answer. `problems` is empty when all is well. */
export interface Result extends RawAnswer {
  readonly name: string;
  readonly ms: number;
  readonly problems: readonly string[];
}

const WITHIN_MS = 5_000;
const AT_ONCE = 8;

/**
 * Runs the whole corpus, a few at a time; slow requests run beside the others.
 *
 * @example
 * const results = await runMalformed(app.base, { token, conversationId, otherToken, otherConversationId });
 * expect(results.filter(({ problems }) => problems.length > 0)).toEqual([]);
 */
export async function runMalformed(base: URL, context: MalformedContext): Promise<readonly Result[]> {
  const target: Target = { ...context, base, ask: (bytes) => exchange(base, { pieces: [bytes] }, WITHIN_MS) };
  const slow = MALFORMED_CASES.filter(isSlow).map((one) => runCase(target, one));
  const waiting = MALFORMED_CASES.filter((one) => !isSlow(one));
  const results: Result[] = [];
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one; one = waiting.shift()) results.push(await runCase(target, one));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return [...results, ...(await Promise.all(slow))];
}

function isSlow({ withinMs }: MalformedCase): boolean {
  return withinMs !== undefined;
}

async function runCase(target: Target, one: MalformedCase): Promise<Result> {
  const built = await one.build(target);
  const payload = Buffer.isBuffer(built) ? { pieces: [built] } : built;
  const start = performance.now();
  const answer = await exchange(target.base, payload, one.withinMs ?? WITHIN_MS);
  const ms = Math.round(performance.now() - start);
  return { name: one.name, ms, ...answer, problems: problemsOf(one, answer) };
}

/** What is wrong with an answer: too late, the wrong status, or not the contract's shape. */
function problemsOf({ status: right, mayBeCut }: MalformedCase, { status, body, hung }: RawAnswer): readonly string[] {
  if (hung) return ['no answer in time'];
  if (status === null) return mayBeCut ? [] : ['the connection ended without an answer'];
  const problems = right.includes(status) ? [] : [`answered ${status} instead of ${right.join(' or ')}`];
  return isContractError(body) ? problems : [...problems, `not { error: { code, message } }: ${body.slice(0, 120)}`];
}

/** `{ error: { code, message } }` with a stable code and a sentence, and nothing that shows our insides. */
export function isContractError(body: string): boolean {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } };
    const { code, message } = error ?? {};
    return typeof code === 'string' && /^\w+$/.test(code) && typeof message === 'string' && isSentence(message);
  } catch {
    return false;
  }
}

function isSentence(message: string): boolean {
  return /^\S.{8,}[.!?]$/s.test(message) && !/\n\s+at |node_modules|\/\w+\/\w+\.[jt]s/.test(message);
}

function exchange(base: URL, { pieces, pauseMs = 0, hangUp = false }: Payload, withinMs: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(Number(base.port), base.hostname);
    const received: Buffer[] = [];
    const settle = (hung: boolean): void => {
      clearTimeout(patience);
      socket.destroy();
      resolve({ ...parseAnswer(Buffer.concat(received)), hung });
    };
    const patience = setTimeout(() => settle(true), withinMs);
    socket.on('data', (bytes) => {
      received.push(bytes);
      if (isWhole(Buffer.concat(received))) settle(false);
    });
    // The server may hang up while we still write: what it said before is what counts.
    socket.on('error', () => undefined);
    socket.on('close', () => settle(false));
    void write(socket, pieces, pauseMs, hangUp);
  });
}

async function write(
  socket: ReturnType<typeof connect>,
  pieces: readonly Buffer[],
  pauseMs: number,
  hangUp: boolean,
): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await pause(pauseMs);
    if (socket.destroyed) return;
    socket.write(piece);
  }
  if (hangUp) socket.end();
}

const HEAD_END = '\r\n\r\n';

/** The final answer: an interim "100 Continue" is stepped over. */
function finalAnswer(received: Buffer): string {
  const text = received.toString('latin1');
  return text.replace(/^(?:HTTP\/1\.1 1(?!01)\d\d[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)+/, '');
}

function isWhole(received: Buffer): boolean {
  const text = finalAnswer(received);
  const head = text.indexOf(HEAD_END);
  if (head < 0) return false;
  if (/^HTTP\/1\.1 101/.test(text)) return true;
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1];
  return length !== undefined && text.length >= head + HEAD_END.length + Number(length);
}

function parseAnswer(received: Buffer): Omit<RawAnswer, 'hung'> {
  const text = finalAnswer(received);
  const [head = '', ...rest] = text.split(HEAD_END);
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1];
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = Buffer.from(rest.join(HEAD_END), 'latin1').toString('utf8');
  const isChunked = headers['transfer-encoding'] === 'chunked';
  return { status: status ? Number(status) : null, headers, body: isChunked ? unchunk(body) : body };
}

function unchunk(body: string): string {
  return body
    .replace(/^[\da-f]+\r\n/i, '')
    .replace(/\r\n[\da-f]+\r\n/gi, '')
    .trimEnd();
}
