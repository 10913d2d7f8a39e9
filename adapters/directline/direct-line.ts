/** The web channel: Direct Line 3.0, so that any Direct Line client can talk to the bank. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request, Response, Server } from 'restify';
import type { TurnGate, Wake } from '../channel.ts';
import {
  addressKey,
  answerError,
  answerJson,
  bearerOf,
  clientAddress,
  HttpError,
  readJson,
  refuseSocket,
} from '../http.ts';
import type { Rendering } from './activity-out.ts';
import { DEFAULT_CONFIG, type DirectLineConfig } from './config.ts';
import { type Call, Conversations } from './conversations.ts';
import { guardDoor } from './full.ts';
import { Handshake, type Once, onceInMemory } from './handshake.ts';
import { type IssuedToken, Issuing, type TokenFor, type VisitorRequest, type VisitorToken } from './issuing.ts';
import { count, createLimiters, type LimiterFactory, memoryLimiter } from './limits.ts';
import { Origins } from './origins.ts';
import type { Clock, DirectLineMetrics, Log, Random, WebRecord } from './port.ts';
import { Recent } from './recent.ts';
import { Seen } from './seen.ts';
import { Sessions } from './sessions.ts';
import { Stream } from './stream.ts';
import { type DirectLineKeys, sameText, type TicketClaims, type TokenClaims, Tokens } from './tokens.ts';

/** What the web channel is built from. */
export interface DirectLineParts {
  readonly gate: TurnGate;
  readonly record: WebRecord;
  readonly wake: Wake;
  /** The first generation signs; all are read. */
  readonly keys: readonly [DirectLineKeys, ...DirectLineKeys[]];
  readonly config?: Partial<DirectLineConfig>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: DirectLineMetrics;
  /** Counts requests; in memory when absent. */
  readonly limiter?: LimiterFactory;
  /** Whether new conversations should come back later: the service has enough to do with those it has. */
  readonly full?: () => boolean;
  /** Whether the gate would refuse a message of this conversation now; absent, every message is brought before it. */
  readonly refuses?: (conversationId: string) => boolean;
  /** Knows which tickets were used; in memory when absent. */
  readonly once?: Once;
}

/** The web channel as the service uses it. */
export interface DirectLine {
  /** Answers `/v3/directline/…` and its WebSocket upgrades on this server. */
  mount(server: Server): void;
  /** A token for whom the service vouches. */
  issueToken(request: TokenFor): Promise<IssuedToken>;
  /** A token for a visitor of our own page; refuses with 429, 403 or 404. */
  issueForVisitor(request: VisitorRequest): Promise<VisitorToken>;
  /** Whose token a request carries: for the service's own routes beside Direct Line. Refuses with 401, 403 or 404. */
  claimsOf(request: IncomingMessage): Promise<TokenClaims>;
  /** "Forget me on this device": the credential and everything issued by it end now. */
  forget(credential: string): Promise<void>;
  /** Ends every token and socket of a conversation: it was erased, or its customer signed out. */
  revokeConversation(conversationId: string): Promise<void>;
  /** Compares the open sockets with the record now, rather than when the next sweep is due. */
  sweep(): Promise<void>;
  /** Asks every open page to come back, and finishes what it had begun. */
  close(): Promise<void>;
}

const BASE = '/v3/directline';
/** By how many names this service is known at a time. */
const ADDRESSES = 100;

type Handler = (call: Call) => Promise<void>;

/** Builds the web channel. Nothing happens before {@link DirectLine.mount}. */
export function createDirectLine(parts: DirectLineParts): DirectLine {
  const { gate, record, clock, log, metrics, wake } = parts;
  const config = { ...DEFAULT_CONFIG, ...parts.config };
  const tokens = new Tokens(parts.keys, clock, parts.random);
  const sessions = new Sessions(tokens, record, clock);
  const limiters = createLimiters(config.limits, parts.limiter ?? memoryLimiter);
  const origins = new Origins({ ...config, tokensNameOrigins: config.secret !== null });
  const stream = new Stream({ record, clock, log, metrics, limits: config.stream });
  const seen = new Seen(record, log);
  const issuing = new Issuing({ tokens, sessions, record, limiters, clock });
  const conversations = new Conversations({
    gate,
    record,
    tokens,
    sessions,
    limiters,
    origins,
    stream,
    seen,
    config,
    clock,
    metrics,
    full: parts.full ?? (() => false),
  });
  /** Sockets opened by the same address share how rows are shown, but for whose they are. */
  const renderings = new Recent<string, Rendering>(ADDRESSES);
  const renderingAt = (own: string, ticket: TicketClaims): Rendering => {
    const rendering = renderings.get(own) ?? conversations.rendering(ticket, () => own);
    renderings.set(own, rendering);
    return rendering;
  };
  const handshake = new Handshake({
    tokens,
    record,
    origins,
    stream,
    once: parts.once ?? onceInMemory(),
    log,
    metrics,
    rendering: (ticket, request) => ({ ...renderingAt(origins.own(request), ticket), userId: ticket.userId }),
  });
  const stopHearing = wake.subscribe((hint) => stream.hear(hint));
  const pruning = setInterval(() => void prune(record, clock, log), PRUNE_EVERY_MS).unref();

  const generate: Handler = async ({ request, response }) => {
    refuseWithoutSecret(request, config.secret);
    await count(limiters.tokensPerAddress, addressKey(clientAddress(request, config.trustedProxies)));
    answerJson(response, 200, await issuing.generate(await readJson(request)));
  };
  const refresh: Handler = async ({ request, response }) => {
    const session = await sessions.of(request);
    origins.refuseForeign(request, session.claims.origins);
    await count(limiters.pollsPerConversation, session.claims.conversationId);
    await readJson(request);
    answerJson(response, 200, await issuing.refresh(session));
  };
  const preflight: Handler = async ({ request, response }) => {
    if (!config.secret) origins.refuseForeign(request);
    response.writeHead(204, origins.preflightHeaders(request));
    response.end();
  };

  /** Runs a handler, and answers whatever it throws in the contract's shape. */
  const answering = (handle: Handler) =>
    async function answerDirectLine(request: Request, response: Response): Promise<void> {
      try {
        setHeaders(response, origins.headersFor(request));
        await handle(callOf(request, response));
      } catch (error) {
        if (error instanceof HttpError) metrics?.refused(error.code);
        if (answerError(request, response, error)) return;
        log.error({ msg_code: 'directline_defect', err: error }, 'A request of the web channel failed.');
      }
    };

  return {
    mount(server) {
      if (parts.refuses) guardDoor(server, { refuses: parts.refuses, origins, metrics });
      const conversation = `${BASE}/conversations/:conversation`;
      server.post(`${BASE}/tokens/generate`, answering(generate));
      server.post(`${BASE}/tokens/refresh`, answering(refresh));
      server.post(
        `${BASE}/conversations`,
        answering((call) => conversations.start(call)),
      );
      server.get(
        conversation,
        answering((call) => conversations.reconnect(call)),
      );
      server.post(
        `${conversation}/activities`,
        answering((call) => conversations.post(call)),
      );
      server.get(
        `${conversation}/activities`,
        answering((call) => conversations.poll(call)),
      );
      server.post(
        `${conversation}/upload`,
        answering((call) => conversations.upload(call)),
      );
      server.get(
        `${conversation}/uploads/:upload`,
        answering((call) => conversations.file(call)),
      );
      server.opts(`${BASE}/*`, answering(preflight));
      // Without it the preflight above would make every unknown address one that takes only OPTIONS.
      for (const method of ['get', 'post'] as const) server[method](`${BASE}/*`, answering(unknownAddress));
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (handshake.concerns(request)) void handshake.take(request, socket, head);
        else if (server.listenerCount('upgrade') === 1) refuseSocket(socket, nothingHere());
      });
    },
    issueToken: (request) => issuing.issue(request),
    issueForVisitor: (request) => issuing.forVisitor(request),
    claimsOf: (request) => sessions.claimsOf(request),
    async forget(credential) {
      const forgotten = await issuing.forget(credential);
      if (forgotten !== null) stream.end(({ userId }) => userId === forgotten);
    },
    async revokeConversation(conversationId) {
      await issuing.revokeConversation(conversationId);
      stream.end((line) => line.conversationId === conversationId);
    },
    sweep: () => stream.sweep(),
    async close() {
      clearInterval(pruning);
      stopHearing();
      await stream.close();
      await seen.write();
    },
  };
}

const PRUNE_EVERY_MS = 3_600_000;

async function prune(record: WebRecord, clock: Clock, log: Log): Promise<void> {
  try {
    await record.prune(clock());
  } catch (err) {
    log.warn(
      { msg_code: 'directline_prune_failed', err },
      'Ended chat sessions could not be cleared away; the next hour tries again.',
    );
  }
}

/** The bank's own server shows the secret; a page never has it. */
function refuseWithoutSecret(request: IncomingMessage, secret: string | null): void {
  const given = bearerOf(request);
  if (given === null)
    throw new HttpError(401, 'no_secret', 'Send the Direct Line secret: Authorization: Bearer <secret>.');
  if (secret === null || !sameText(given, secret))
    throw new HttpError(403, 'bad_secret', 'This is not the Direct Line secret.');
  if (request.headers.origin !== undefined) {
    throw new HttpError(
      403,
      'secret_in_page',
      'The Direct Line secret must not be in a page: ask for tokens from your server.',
    );
  }
}

function callOf(request: Request, response: Response): Call {
  const { conversation = '', upload = '' } = request.params as { conversation?: string; upload?: string };
  return {
    request,
    response,
    conversationId: conversation,
    uploadId: upload,
    get query() {
      const url = request.url ?? '';
      const start = url.indexOf('?');
      return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
    },
  };
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
}

function unknownAddress(): Promise<never> {
  return Promise.reject(nothingHere());
}

function nothingHere(): HttpError {
  return new HttpError(404, 'unknown_address', 'There is nothing at this address.');
}
