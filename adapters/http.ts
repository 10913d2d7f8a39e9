/** What every HTTP route of the service shares: bounded bodies, safe JSON, who is calling, and errors in the contract's shape. */

import { isUtf8 } from 'node:buffer';
import {
  type Server as HttpServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { CodedError } from './channel.ts';

/** The request is refused: the status, a stable code, and a sentence the caller can act on. */
export class HttpError extends CodedError {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(
    status: number,
    code: string,
    message: string,
    options: ErrorOptions & { headers?: OutgoingHttpHeaders } = {},
  ) {
    super(code, message, options);
    this.name = 'HttpError';
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** Too much, or not now: the caller may come back after `seconds`. */
export function comeBackLater(status: 429 | 503, code: string, message: string, seconds: number): HttpError {
  return new HttpError(status, code, message, { headers: { 'retry-after': String(Math.max(1, Math.ceil(seconds))) } });
}

/** What is wrong with a value that a zod schema refused, in one sentence: the first field and why. */
export function whatIsWrong(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string {
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  const sentence = (issue?.message ?? 'It has the wrong shape').replace(/\.?$/, '.');
  return field === '' ? sentence : `${field}: ${sentence}`;
}

/** How much of a body is read, and how long its sender may take. */
export interface BodyLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly milliseconds: number;
}

const BODY_LIMITS: BodyLimits = { bytes: 256 * 1024, depth: 32, milliseconds: 15_000 };

/** The caller went away before the request was whole: there is nobody to answer. */
export class CallerGone extends Error {
  constructor() {
    super('The caller closed the connection before the request was complete.');
    this.name = 'CallerGone';
  }
}

/** Reads a body of at most `bytes`. Compressed bodies are refused: no client of ours sends them, and they unpack without bound. */
export async function readBody(
  request: IncomingMessage,
  limits: Pick<BodyLimits, 'bytes' | 'milliseconds'> = BODY_LIMITS,
): Promise<Buffer> {
  refuseCompressed(request);
  if (Number(request.headers['content-length'] ?? 0) > limits.bytes) throw tooLarge(limits.bytes);
  return await collect(request, limits);
}

function collect(request: IncomingMessage, limits: Pick<BodyLimits, 'bytes' | 'milliseconds'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const patience = setTimeout(() => stop(tooSlow()), limits.milliseconds);
    const stop = (error: Error): void => {
      finish();
      reject(error);
    };
    const finish = (): void => {
      clearTimeout(patience);
      request.off('data', take).off('end', end).off('error', gone).off('close', gone);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.bytes) stop(tooLarge(limits.bytes));
      else chunks.push(chunk);
    };
    const end = (): void => {
      finish();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    };
    const gone = (): void => stop(new CallerGone());
    request.on('data', take).on('end', end).on('error', gone).on('close', gone);
    if (request.destroyed) gone();
  });
}

/** Reads one JSON value; undefined when the body is empty. */
export async function readJson(request: IncomingMessage, limits: Partial<BodyLimits> = {}): Promise<unknown> {
  const { bytes, depth, milliseconds } = { ...BODY_LIMITS, ...limits };
  const body = await readBody(request, { bytes, milliseconds });
  if (body.length === 0) return undefined;
  refuseOtherThanJson(request.headers['content-type']);
  return parseJson(body, depth);
}

/**
 * Parses JSON that the record can keep: UTF-8, no deeper than `depth`, without NUL and lone surrogates
 * (PostgreSQL's jsonb refuses both), without `__proto__`.
 */
export function parseJson(bytes: Buffer, depth: number = BODY_LIMITS.depth): unknown {
  if (!isUtf8(bytes)) throw badRequest('not_utf8', 'The body must be UTF-8.');
  if (nestsDeeper(bytes, depth)) throw badRequest('too_deep', `The JSON may nest at most ${depth} levels.`);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badRequest('not_json', 'The body must be valid JSON.', cause);
  }
  // Neither can be written without an escape or by its plain name: most bodies need no walk.
  if (text.includes('\\u') || text.includes('__proto__')) refuseUnkeepable(value);
  return value;
}

/** Answers with a JSON body. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers?: OutgoingHttpHeaders,
): void {
  answerText(response, status, JSON.stringify(value), headers);
}

/** Answers with a JSON body that is already text. */
export function answerText(
  response: ServerResponse,
  status: number,
  json: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent || response.writableEnded) return;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
  });
  response.end(json);
}

/** What to answer when a request ended in an error; null when it is a defect of ours, which the caller logs. */
export function refusalOf(error: unknown): HttpError | null {
  if (error instanceof HttpError) return error;
  if (error instanceof CodedError && error.code.startsWith('database_')) {
    return comeBackLater(503, 'unavailable', 'The service cannot reach its records now. Try again in a moment.', 2);
  }
  return null;
}

const DEFECT = new HttpError(500, 'internal', 'Something went wrong on our side. Try again in a moment.');

/** Answers a request that ended in an error, in the contract's shape. Returns false when the error is a defect of ours. */
export function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): boolean {
  if (error instanceof CallerGone) return true;
  const refusal = refusalOf(error);
  const { status, code, message, headers } = refusal ?? DEFECT;
  const unread = !request.complete;
  answerJson(
    response,
    status,
    { error: { code, message } },
    { ...headers, ...(unread && { connection: 'close' as const }) },
  );
  if (unread) hangUp(request);
  return refusal !== null;
}

/** What restify itself refuses with, before any route of ours sees the request. */
interface RouterError extends Error {
  readonly statusCode?: number;
  toJSON?: () => object;
}

/** The part of a restify server that {@link speakContract} needs. */
interface ContractServer {
  readonly server: unknown;
  on(
    event: 'restifyError',
    listener: (request: IncomingMessage, response: ServerResponse, error: RouterError, done: () => void) => void,
  ): unknown;
}

/** What the types of restify and Node leave out. */
interface Untyped {
  first(handler: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  readonly server: HttpServer & { requireHostHeader: boolean; connectionsCheckingInterval: number };
}

const CHECK_CONNECTIONS_EVERY_MS = 2_000;

/**
 * Makes a server answer in the contract's shape what no route of ours gets to see: an unknown address, a wrong method,
 * bytes that are no request, a Host that is none (which would end restify's process). Call it before the server listens.
 */
export function speakContract(server: ContractServer): void {
  const { server: node, first } = server as unknown as Untyped;
  first.call(server, takeReadable);
  server.on('restifyError', (request, _response, error, done) => {
    error.toJSON = () => ({ error: sentenceFor(error.statusCode ?? 500, request.method ?? '') });
    done();
  });
  // Node would answer these itself, without a sentence.
  node.requireHostHeader = false;
  node.connectionsCheckingInterval = CHECK_CONNECTIONS_EVERY_MS;
  node.on('clientError', refuseUnreadable);
  node.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    answerError(request, response, new HttpError(417, 'expectation', 'The Expect header asks for what we cannot do.'));
  });
}

function takeReadable(request: IncomingMessage, response: ServerResponse): boolean {
  const { host = '' } = request.headers;
  const target = request.url ?? '';
  if (HOST.test(host) && URL.canParse(target.startsWith('/') ? `http://${host}${target}` : target, `http://${host}`))
    return true;
  answerError(request, response, badRequest('bad_host', 'The Host header or the address is missing or malformed.'));
  return false;
}

/** The bytes are no HTTP, too many, or came too slowly. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  refuseSocket(socket, refusalOfBytes(error.code));
}

function refusalOfBytes(code: string | undefined): HttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(431, 'headers_too_large', 'The address and headers are too long.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return tooSlow();
    default:
      return badRequest('not_http', 'This is not a well-formed HTTP request.');
  }
}

/** Answers in HTTP's words where there is no response object, and hangs up. */
export function refuseSocket(socket: Duplex, { status, code, message, headers }: HttpError): void {
  const body = JSON.stringify({ error: { code, message } });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function sentenceFor(status: number, method: string): { readonly code: string; readonly message: string } {
  if (status === 404) return { code: 'unknown_address', message: 'There is nothing at this address.' };
  if (status === 405) return { code: 'wrong_method', message: `This address does not take ${method}.` };
  if (status < 500) return { code: 'bad_request', message: 'The request is malformed.' };
  return { code: DEFECT.code, message: DEFECT.message };
}

/** The proxies whose word on who is calling is believed. */
export interface TrustedProxies {
  trusts(address: string): boolean;
}

/** Addresses and CIDR networks, as in `TRUSTED_PROXIES`. */
export function trustProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return { trusts: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

/** Who is calling: the nearest address that is not one of our proxies. What stands further left was written by the caller. */
export function clientAddress(request: IncomingMessage, proxies: TrustedProxies): string {
  let nearest = plainAddress(request.socket.remoteAddress ?? '');
  const hops = String(request.headers['x-forwarded-for'] ?? '').split(',');
  for (let index = hops.length - 1; index >= 0 && isIP(nearest) && proxies.trusts(nearest); index -= 1) {
    const hop = plainAddress(hops[index]?.trim() ?? '');
    if (!isIP(hop)) return nearest;
    nearest = hop;
  }
  return nearest;
}

/** What a caller is counted by: an IPv4 address, or the /64 network that one IPv6 subscriber holds. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = Array<string>(tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

const HOST = /^(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** Our own origin as the caller sees it, such as `https://chat.bank.example`. */
export function ownOrigin(request: IncomingMessage, proxies: TrustedProxies): string {
  const proxied = proxies.trusts(plainAddress(request.socket.remoteAddress ?? ''));
  const header = (name: string): string | undefined =>
    proxied
      ? String(request.headers[name] ?? '')
          .split(',')[0]
          ?.trim()
      : undefined;
  const host = header('x-forwarded-host') || request.headers.host || '';
  if (!HOST.test(host)) throw badRequest('bad_host', 'The Host header is missing or malformed.');
  const secure = header('x-forwarded-proto') === 'https' || 'encrypted' in request.socket;
  return `${secure ? 'https' : 'http'}://${host}`;
}

/** The token of `Authorization: Bearer …`; null without one. */
export function bearerOf(request: IncomingMessage): string | null {
  const header = request.headers.authorization;
  return header !== undefined && /^bearer /i.test(header) ? header.slice(7).trim() : null;
}

function badRequest(code: string, message: string, cause?: unknown): HttpError {
  return new HttpError(400, code, message, { cause });
}

function tooLarge(bytes: number): HttpError {
  return new HttpError(413, 'too_large', `The body may have at most ${Math.floor(bytes / 1024)} KB.`);
}

function tooSlow(): HttpError {
  return new HttpError(408, 'too_slow', 'The request took too long to arrive.');
}

function refuseCompressed(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new HttpError(415, 'compressed', 'Send the body without Content-Encoding.');
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset="?utf-?8"?\s*)?;?$/i;

function refuseOtherThanJson(type: string | undefined): void {
  if (type !== undefined && JSON_TYPE.test(type.trim())) return;
  throw new HttpError(415, 'not_json_type', 'Send JSON with Content-Type: application/json.');
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

function nestsDeeper(bytes: Buffer, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (quoted) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth -= 1;
  }
  return false;
}

const UNKEEPABLE = /\0|\p{Surrogate}/u;

function refuseUnkeepable(value: unknown): void {
  if (typeof value === 'string') refuseUnkeepableText(value);
  else if (Array.isArray(value)) value.forEach(refuseUnkeepable);
  else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__') throw badRequest('bad_key', 'A key may not be "__proto__".');
      refuseUnkeepableText(key);
      refuseUnkeepable(item);
    }
  }
}

function refuseUnkeepableText(text: string): void {
  if (UNKEEPABLE.test(text))
    throw badRequest('bad_characters', 'Text may not hold NUL characters or half a surrogate pair.');
}

/** `::ffff:192.0.2.1`, `192.0.2.1:4711` and `[2001:db8::1]:4711` without what is not the address. */
function plainAddress(written: string): string {
  const address = /^\[(.+)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

const HANG_UP_AFTER_MS = 2_000;

/** Lets the caller read the refusal while what they still send is thrown away, but not for ever. */
function hangUp(request: IncomingMessage): void {
  request.resume();
  setTimeout(() => request.destroy(), HANG_UP_AFTER_MS).unref();
}
