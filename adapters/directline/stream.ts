/** The open line to each customer's page: what the record gains is pushed over WebSocket, in order, without a gap. */

import { WebSocket } from 'ws';
import type { RecordedActivity } from '../../record/types.ts';
import type { WakeHint } from '../channel.ts';
import { Renderer, type Rendering } from './activity-out.ts';
import type { Clock, DirectLineMetrics, Log, WebRecord } from './port.ts';
import { MOST_REPEATS, type Repeat, Repeats } from './repeats.ts';
import { type TicketClaims, TOLERANCE_SECONDS } from './tokens.ts';

/** How the open sockets are looked after. */
export interface StreamLimits {
  /** The longest a lost hint can delay a message. */
  readonly sweepMs: number;
  /** How often a silent socket is asked whether it is still there. */
  readonly pingMs: number;
  /** What may wait in memory for one slow socket. */
  readonly bufferedBytes: number;
  /** Rows read and sent at a time when a socket catches up. */
  readonly page: number;
  readonly socketsPerConversation: number;
  readonly sockets: number;
  /** Frames a client may send between two pings; it has no reason to send more than keep-alives. */
  readonly framesPerPing: number;
}

export const DEFAULT_STREAM: StreamLimits = {
  sweepMs: 15_000,
  pingMs: 20_000,
  bufferedBytes: 1024 * 1024,
  page: 100,
  socketsPerConversation: 8,
  sockets: 20_000,
  framesPerPing: 100,
};

/** Why a socket is closed, as RFC 6455 numbers it. */
const CLOSE = { expired: 1008, restarting: 1012, slow: 1013 } as const;

/** Sockets are pinged in this many groups, one after the other, so that ten thousand pings never come at once. */
const PING_GROUPS = 20;
const CLOSE_WITHIN_MS = 2_000;

/** One open socket and what it has been sent. */
interface Line {
  readonly socket: WebSocket;
  readonly conversationId: string;
  readonly family: string;
  readonly userId: string;
  readonly renderer: Renderer;
  readonly group: number;
  /** Everything up to here was sent, in order. */
  sent: number;
  /** The record is said to go up to here. */
  known: number;
  reading: boolean;
  answered: boolean;
  frames: number;
  /** Repeats to be echoed once the line has caught up. */
  repeats: readonly Repeat[];
}

/** What the stream works with. */
export interface StreamParts {
  readonly record: Pick<WebRecord, 'rowsAfter' | 'sweep'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: DirectLineMetrics | undefined;
  readonly limits: StreamLimits;
}

/** All open sockets of this process. */
export class Stream {
  readonly #parts: StreamParts;
  readonly #lines = new Map<WebSocket, Line>();
  /** A conversation is open in one window, as a rule: a list of one costs less than a set. */
  readonly #byConversation = new Map<string, readonly Line[]>();
  readonly #groups: readonly Set<Line>[] = Array.from({ length: PING_GROUPS }, () => new Set<Line>());
  readonly #repeats: Repeats;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onMessage = shared(this.#lines, (line) => this.#heard(line));
  readonly #onPong = shared(this.#lines, (line) => {
    line.answered = true;
  });
  readonly #onClose = shared(this.#lines, (line, code: number) => this.#remove(line, code));
  #opened = 0;
  #nextGroup = 0;
  #sweeping: Promise<void> | undefined;
  #closing = false;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#repeats = new Repeats(parts.clock);
    const { sweepMs, pingMs } = parts.limits;
    this.#timers.push(setInterval(() => void this.sweep(), sweepMs).unref());
    this.#timers.push(setInterval(() => this.#pingNextGroup(), pingMs / PING_GROUPS).unref());
  }

  get size(): number {
    return this.#lines.size;
  }

  /** Whether one more socket can be looked after. */
  get hasRoom(): boolean {
    return !this.#closing && this.#lines.size < this.#parts.limits.sockets;
  }

  /** Takes a socket on and sends it everything after its watermark. */
  open(socket: WebSocket, { conversationId, family, watermark }: TicketClaims, rendering: Rendering): void {
    this.#makeRoom(conversationId);
    const line: Line = {
      socket,
      conversationId,
      family,
      userId: rendering.userId,
      renderer: new Renderer(rendering),
      group: this.#opened % PING_GROUPS,
      sent: watermark,
      known: watermark,
      reading: false,
      answered: true,
      frames: 0,
      repeats: this.#repeats.of(conversationId),
    };
    this.#opened += 1;
    this.#add(line);
    socket.on('message', this.#onMessage).on('pong', this.#onPong).on('close', this.#onClose).on('error', ignoreLost);
    this.#catchUp(line);
  }

  /** "This conversation goes up to seq": pushed from memory where the rows came along and fit, read otherwise. */
  hear({ conversationId, seq, activities }: WakeHint): void {
    for (const line of this.#byConversation.get(conversationId) ?? []) {
      line.known = Math.max(line.known, seq);
      const fresh = activities?.filter((row) => row.seq > line.sent);
      if (!line.reading && fresh?.[0]?.seq === line.sent + 1) this.#push(line, fresh);
      if (line.known > line.sent) this.#catchUp(line);
    }
  }

  /** A message came a second time: its row is shown again, under the client id that is waiting for it (ruling 45). */
  repeat(repeat: Repeat): void {
    const { conversationId, seq } = repeat.row;
    this.#repeats.note(repeat);
    for (const line of this.#byConversation.get(conversationId) ?? []) {
      line.repeats = [...line.repeats, repeat].slice(-MOST_REPEATS);
      if (!line.reading && line.sent >= seq) this.#pushRepeats(line);
    }
  }

  /** For a client that reads by polling and has the record up to `seq`. */
  polledRepeats(conversationId: string, seq: number): readonly Repeat[] {
    return this.#repeats.poll(conversationId, seq);
  }

  /** Ends every socket whose family or conversation is no longer to be served. */
  end(matches: (line: { readonly conversationId: string; readonly userId: string }) => boolean): void {
    for (const line of this.#lines.values()) if (matches(line)) this.#finish(line);
  }

  /** Compares every open socket with the record in one query: repairs lost hints, ends what expired or was revoked elsewhere. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#compare()
      .catch((err: unknown) => {
        this.#parts.log.warn(
          { msg_code: 'directline_sweep_failed', err },
          'Open chats could not be compared with the record; the next sweep will.',
        );
      })
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  /** Asks every client to come back (elsewhere, or after the restart), and waits a moment for their goodbye. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) clearInterval(timer);
    const closed = [...this.#lines.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#lines.keys()) socket.close(CLOSE.restarting, 'restarting');
    const patience = setTimeout(() => {
      for (const socket of this.#lines.keys()) socket.terminate();
    }, CLOSE_WITHIN_MS);
    await Promise.all(closed);
    clearTimeout(patience);
    await this.#sweeping;
  }

  async #compare(): Promise<void> {
    if (this.#lines.size === 0) return;
    const lines = [...this.#lines.values()];
    const { record, clock } = this.#parts;
    const tolerated = new Date(clock().getTime() - TOLERANCE_SECONDS * 1000);
    const watched = lines.map(({ family, sent }) => ({ family, seq: sent }));
    for (const { index, finding, seq } of await record.sweep(watched, tolerated)) {
      const line = lines[index];
      if (!line || !this.#lines.has(line.socket)) continue;
      switch (finding) {
        case 'ended':
          this.#finish(line);
          break;
        case 'behind':
          line.known = Math.max(line.known, seq);
          this.#catchUp(line);
      }
    }
  }

  /** Reads what the line lacks, page by page, waiting for each to be on the wire before the next is read. */
  #catchUp(line: Line): void {
    if (line.reading) return;
    line.reading = true;
    void this.#read(line)
      .catch((err: unknown) => {
        line.known = line.sent;
        this.#parts.log.warn({ msg_code: 'directline_read_failed', err }, 'A chat could not be read; the sweep will.');
      })
      .finally(() => {
        line.reading = false;
        this.#pushRepeats(line);
        if (line.known > line.sent) this.#catchUp(line);
      });
  }

  async #read(line: Line): Promise<void> {
    const { record, limits } = this.#parts;
    let more = true;
    while (more && isOpen(line)) {
      // This read answers every hint so far; one that comes meanwhile raises `known` again.
      line.known = line.sent;
      const rows = await record.rowsAfter(line.conversationId, line.sent, limits.page);
      const full = rows.length === limits.page;
      if (rows.length > 0) await this.#flush(line, rows);
      more = full || line.known > line.sent;
    }
    if (!isOpen(line)) line.known = line.sent;
  }

  #flush(line: Line, rows: readonly RecordedActivity[]): Promise<void> {
    const frames = framesOf(line, rows);
    return new Promise((resolve) => {
      frames.forEach((frame, index) => {
        line.socket.send(frame, index === frames.length - 1 ? () => resolve() : ignoreLost);
      });
      if (frames.length === 0) resolve();
    });
  }

  #push(line: Line, rows: readonly RecordedActivity[]): void {
    for (const frame of framesOf(line, rows)) this.#send(line, frame);
  }

  #pushRepeats(line: Line): void {
    const due = line.repeats.filter(({ row }) => row.seq <= line.sent);
    if (due.length === 0) return;
    line.repeats = line.repeats.filter(({ row }) => row.seq > line.sent);
    for (const repeat of due) this.#send(line, JSON.stringify({ activities: [line.renderer.repeat(repeat)] }));
  }

  #send(line: Line, frame: string): void {
    const { socket } = line;
    if (!isOpen(line)) return;
    if (socket.bufferedAmount > this.#parts.limits.bufferedBytes) {
      this.#parts.metrics?.refused('slow_socket');
      socket.close(CLOSE.slow, 'too slow; come back by watermark');
    } else socket.send(frame, ignoreLost);
  }

  #heard(line: Line): void {
    line.answered = true;
    line.frames += 1;
    if (line.frames > this.#parts.limits.framesPerPing) this.#finish(line, 'too many frames');
  }

  #pingNextGroup(): void {
    for (const line of this.#groups[this.#nextGroup] ?? []) {
      line.frames = 0;
      if (!line.answered) line.socket.terminate();
      else {
        line.answered = false;
        line.socket.ping();
      }
    }
    this.#nextGroup = (this.#nextGroup + 1) % PING_GROUPS;
  }

  #finish({ socket }: Line, reason = 'expired'): void {
    socket.close(CLOSE.expired, reason);
  }

  /** A page reloaded again and again leaves sockets behind that do not know they are dead: the oldest goes. */
  #makeRoom(conversationId: string): void {
    const lines = this.#byConversation.get(conversationId);
    const [oldest] = lines ?? [];
    if (!lines || !oldest || lines.length < this.#parts.limits.socketsPerConversation) return;
    this.#finish(oldest, 'too many windows');
  }

  #add(line: Line): void {
    const { conversationId } = line;
    this.#byConversation.set(conversationId, [...(this.#byConversation.get(conversationId) ?? []), line]);
    this.#groups[line.group]?.add(line);
    this.#lines.set(line.socket, line);
    this.#parts.metrics?.socketsOpen(this.#lines.size);
  }

  #remove(line: Line, code: number): void {
    const { conversationId } = line;
    const left = this.#byConversation.get(conversationId)?.filter((each) => each !== line) ?? [];
    if (left.length === 0) this.#byConversation.delete(conversationId);
    else this.#byConversation.set(conversationId, left);
    this.#groups[line.group]?.delete(line);
    this.#lines.delete(line.socket);
    this.#parts.metrics?.socketsOpen(this.#lines.size);
    this.#parts.metrics?.socketClosed(code);
  }
}

/**
 * One frame for each activity: the official client hands out a frame's activities one by one while the next frame comes in,
 * so that frames of several would be shown mixed.
 */
function framesOf(line: Line, rows: readonly RecordedActivity[]): string[] {
  line.sent = rows.at(-1)?.seq ?? line.sent;
  return line.renderer
    .show(rows)
    .map(({ activity, watermark }) => JSON.stringify({ activities: [activity], watermark }));
}

/** One listener for all sockets, told whose it was: one for each would be most of what an idle socket costs beside itself. */
function shared<Told>(lines: ReadonlyMap<WebSocket, Line>, act: (line: Line, told: Told) => void) {
  return function hear(this: WebSocket, told: Told): void {
    const line = lines.get(this);
    if (line) act(line, told);
  };
}

function isOpen({ socket }: Line): boolean {
  return socket.readyState === WebSocket.OPEN;
}

/** A broken frame or a lost connection: `close` follows, and the client comes back by its watermark. */
function ignoreLost(): void {}
