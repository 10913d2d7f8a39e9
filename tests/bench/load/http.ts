/** The cheapest HTTP client that is still one: prepared requests, one keep-alive connection, responses read by their length. */

import { connect, type Socket } from 'node:net';
import { NUMBER } from '../turn.ts';

/** Where a response ends in the bytes that have arrived, and what it is. */
export interface Response {
  readonly status: number;
  readonly bodyAt: number;
  readonly end: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** Finds the first whole message in `bytes`; null while some of it is missing. Requests are read alike, with status 0. */
export function readMessage(bytes: Buffer): Response | null {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const bodyAt = headEnd + 4;
  const head = bytes.toString('latin1', 0, headEnd + 2);
  const status = head.startsWith('HTTP/') ? Number(head.slice(9, 12)) : 0;
  const length = /\r\ncontent-length: *(\d+)\r/i.exec(head)?.[1];
  if (length !== undefined) return whole(bytes, { status, bodyAt, end: bodyAt + Number(length) });
  if (!/\r\ntransfer-encoding: *chunked\r/i.test(head)) return { status, bodyAt, end: bodyAt };
  const last = bytes.indexOf(LAST_CHUNK, bodyAt);
  return last < 0 ? null : { status, bodyAt, end: last + LAST_CHUNK.length };
}

function whole(bytes: Buffer, response: Response): Response | null {
  return bytes.length < response.end ? null : response;
}

/** Everything about a conversation's posts but their number. */
export interface Post {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  /** What a right answer holds. */
  readonly expects: string;
}

/** What came back: a whole response and the bytes it lies in, or null and why there is none. */
export type Answered = (response: Response | null, bytes: Buffer) => void;

/** One keep-alive connection with one prepared request, sent again and again under another number. One at a time. */
export class Connection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #places: readonly number[];
  #pending: Buffer | null = null;
  #answered: Answered = ignore;

  constructor(post: Omit<Post, 'expects'>) {
    this.#request = prepare(post);
    this.#places = placesOf(this.#request);
    this.#socket = connect({ port: post.port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#answer(null, Buffer.from(error.message)));
    this.#socket.on('close', () => this.#answer(null, Buffer.from('The server closed the connection.')));
  }

  /** Resolves when the server has taken the connection; at once when it never will. */
  connected(): Promise<void> {
    const socket = this.#socket;
    if (!socket.connecting) return Promise.resolve();
    return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  }

  /** False once either side has closed it. */
  get usable(): boolean {
    return this.#socket.writable;
  }

  /** Sends request `n`. A connection that breaks answers too. */
  send(n: number, answered: Answered): void {
    this.#answered = answered;
    const digits = String(n).padStart(NUMBER.length, '0');
    for (const place of this.#places) this.#request.write(digits, place, 'latin1');
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#answered = ignore;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    const response = readMessage(bytes);
    this.#pending = response ? null : bytes;
    if (response) this.#answer(response, bytes);
  }

  #answer(response: Response | null, bytes: Buffer): void {
    const answered = this.#answered;
    this.#answered = ignore;
    answered(response, bytes);
  }
}

function ignore(): void {}

/** One conversation: it posts, waits for the answer, and posts again. */
export class Conversation {
  readonly #connection: Connection;
  readonly #expects: Buffer;

  constructor(post: Post) {
    this.#connection = new Connection(post);
    this.#expects = Buffer.from(post.expects);
  }

  /** Posts message `n` and calls `answered` with null, or with what was wrong. */
  post(n: number, answered: (wrong: string | null) => void): void {
    this.#connection.send(n, (response, bytes) => answered(this.#wrongWith(response, bytes)));
  }

  close(): void {
    this.#connection.close();
  }

  #wrongWith(response: Response | null, bytes: Buffer): string | null {
    if (response && response.end === bytes.length && this.#isRight(response, bytes)) return null;
    return bytes.toString('utf8', 0, 600);
  }

  #isRight({ status, bodyAt }: Response, bytes: Buffer): boolean {
    return status >= 200 && status < 300 && bytes.indexOf(this.#expects, bodyAt) >= 0;
  }
}

/** One conversation whose messages go to any of several instances, each over a connection of its own. */
export class Roaming {
  readonly #conversations: readonly Conversation[];
  readonly #random: () => number;

  constructor(post: Post, ports: readonly number[], random: () => number) {
    this.#conversations = ports.map((port) => new Conversation({ ...post, port }));
    this.#random = random;
  }

  post(n: number, answered: (wrong: string | null) => void): void {
    this.#conversations[Math.floor(this.#random() * this.#conversations.length)]?.post(n, answered);
  }

  close(): void {
    for (const conversation of this.#conversations) conversation.close();
  }
}

function prepare({ port, path, headers, body }: Omit<Post, 'expects'>): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const all = {
    Host: `127.0.0.1:${port}`,
    'Content-Type': 'application/json',
    ...headers,
    'Content-Length': json.length,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), json]);
}

function placesOf(request: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = request.indexOf(NUMBER); at >= 0; at = request.indexOf(NUMBER, at + 1)) places.push(at);
  return places;
}
