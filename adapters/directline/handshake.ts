/** Opening a stream: the ticket in the address is checked before a WebSocket exists, and is good once. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { comeBackLater, HttpError, refusalOf, refuseSocket } from '../http.ts';
import type { Rendering } from './activity-out.ts';
import type { Origins } from './origins.ts';
import type { DirectLineMetrics, Log, WebRecord } from './port.ts';
import { Recent } from './recent.ts';
import { unknownConversation } from './sessions.ts';
import type { Stream } from './stream.ts';
import { TICKET_SECONDS, type TicketClaims, type Tokens } from './tokens.ts';

/** True the first time a nonce is seen within `seconds`, false afterwards. Shared when several instances run. */
export type Once = (nonce: string, seconds: number) => Promise<boolean>;

const REMEMBERED_NONCES = 100_000;

/** Remembers nonces in this process: tickets end by themselves long before the memory is full. */
export function onceInMemory(): Once {
  const used = new Recent<string, true>(REMEMBERED_NONCES);
  return (nonce) => {
    const first = used.get(nonce) === undefined;
    used.set(nonce, true);
    return Promise.resolve(first);
  };
}

const STREAM_PATH = /^\/v3\/directline\/conversations\/([^/?]+)\/stream(?:\?|$)/;
const MAX_FRAME = 256 * 1024;

/** What the handshake works with. */
export interface HandshakeParts {
  readonly tokens: Tokens;
  readonly record: Pick<WebRecord, 'sessionState'>;
  readonly origins: Origins;
  readonly stream: Stream;
  readonly once: Once;
  readonly log: Log;
  readonly metrics: DirectLineMetrics | undefined;
  readonly rendering: (ticket: TicketClaims, request: IncomingMessage) => Rendering;
}

/** Turns an HTTP upgrade into an open line, or refuses it in HTTP's words. */
export class Handshake {
  readonly #parts: HandshakeParts;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
  });

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    // Without it ws would answer in words of its own.
    this.#sockets.on('wsClientError', (_error, socket) => this.#refuse(socket, badHandshake()));
  }

  /** Whether an upgrade is for us. */
  concerns(request: IncomingMessage): boolean {
    return STREAM_PATH.test(request.url ?? '');
  }

  async take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Until the handshake is done nobody else listens; a caller that hangs up must not end the process.
    const hungUp = (): void => undefined;
    socket.on('error', hungUp);
    try {
      const ticket = await this.#check(request);
      const rendering = this.#parts.rendering(ticket, request);
      if (socket.destroyed) return;
      socket.off('error', hungUp);
      this.#sockets.handleUpgrade(request, socket, head, (opened) =>
        this.#parts.stream.open(opened, ticket, rendering),
      );
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  async #check(request: IncomingMessage): Promise<TicketClaims> {
    const { tokens, origins, stream, once, record } = this.#parts;
    const url = new URL(request.url ?? '', 'http://localhost');
    const ticket = await tokens.readTicket(url.searchParams.get('t') ?? '');
    if (!ticket || STREAM_PATH.exec(request.url ?? '')?.[1] !== ticket.conversationId) throw badTicket();
    origins.refuseForeign(request, ticket.origins);
    if (!stream.hasRoom) throw comeBackLater(503, 'busy', 'Too many chats are open. Try again in a moment.', 5);
    if (!(await once(`ticket:${ticket.nonce}`, TICKET_SECONDS))) throw badTicket();
    const session = await record.sessionState(ticket.family, ticket.tokenId);
    if (session.state === 'revoked') throw badTicket();
    if (session.conversation !== 'begun') throw unknownConversation();
    return ticket;
  }

  #refuse(socket: Duplex, error: unknown): void {
    const refusal = refusalOf(error) ?? new HttpError(500, 'internal', 'Something went wrong on our side. Try again.');
    if (refusal.status === 500)
      this.#parts.log.error({ msg_code: 'directline_defect', err: error }, 'A stream could not be opened.');
    this.#parts.metrics?.refused(refusal.code);
    refuseSocket(socket, refusal);
  }
}

function badHandshake(): HttpError {
  return new HttpError(400, 'bad_handshake', 'This is not a well-formed WebSocket handshake of version 13.');
}

function badTicket(): HttpError {
  return new HttpError(
    403,
    'bad_ticket',
    'This stream address was used, is too old or was revoked. Ask for a new one.',
  );
}
