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

/** One conversation: it posts, waits for the answer, and posts again. */
export class Conversation {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #places: readonly number[];
  readonly #expects: Buffer;
  #pending: Buffer | null = null;
  #answered: (wrong: string | null) => void = () => undefined;

  constructor(post: Post) {
    this.#request = prepare(post);
    this.#places = placesOf(this.#request);
    this.#expects = Buffer.from(post.expects);
    this.#socket = connect({ port: post.port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#answered(error.message));
    this.#socket.on('close', () => this.#answered('The server closed the connection.'));
  }

  /** Posts message `n` and calls `answered` with null, or with what was wrong. */
  post(n: number, answered: (wrong: string | null) => void): void {
    this.#answered = answered;
    const digits = String(n).padStart(NUMBER.length, '0');
    for (const place of this.#places) this.#request.write(digits, place, 'latin1');
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#answered = () => undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    const response = readMessage(bytes);
    this.#pending = response ? null : bytes;
    if (response) this.#answered(this.#wrongWith(response, bytes));
  }

  #wrongWith({ status, bodyAt, end }: Response, bytes: Buffer): string | null {
    if (status >= 200 && status < 300 && bytes.indexOf(this.#expects, bodyAt) >= 0 && end === bytes.length) return null;
    return bytes.toString('utf8', 0, 600);
  }
}

function prepare({ port, path, headers, body }: Post): Buffer {
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
