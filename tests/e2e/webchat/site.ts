/** Where a page with official Web Chat stands: at Lobby's own front door, or on the bank's web site, which is another origin. */

import { readFile } from 'node:fs/promises';
import {
  request as askService,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { transformWithOxc } from 'vite';
import type { WebChatBundle } from './bundle.ts';

const PAGE_SCRIPT = fileURLToPath(new URL('../browser/webchat.ts', import.meta.url));

/** What a page with official Web Chat needs, and nothing more: its worker makes the previews. Lobby on another origin is named beside `'self'`. */
function policy(lobby = ''): string {
  return [
    "default-src 'self'",
    `connect-src 'self' ${lobby} ws: wss: blob:`,
    `img-src 'self' ${lobby} data: blob:`,
    "style-src 'self' 'unsafe-inline'",
    'worker-src blob:',
  ]
    .join('; ')
    .replaceAll('  ', ' ');
}

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Web Chat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/webchat/page.css">
<script src="/webchat/webchat.js" defer></script>
<script src="/webchat/page.js" type="module"></script>
<body><main id="webchat"></main>`;

const CSS = 'html, body, #webchat { height: 100%; margin: 0 }';

/** The page and its parts, by path. */
export type Files = ReadonlyMap<string, { readonly type: string; readonly body: string | Buffer }>;

export async function pageFiles({ script }: WebChatBundle): Promise<Files> {
  const { code } = await transformWithOxc(await readFile(PAGE_SCRIPT, 'utf8'), PAGE_SCRIPT);
  return new Map([
    ['/webchat/', { type: 'text/html; charset=utf-8', body: HTML }],
    ['/webchat/page.css', { type: 'text/css', body: CSS }],
    ['/webchat/page.js', { type: 'text/javascript; charset=utf-8', body: code }],
    ['/webchat/webchat.js', { type: 'text/javascript; charset=utf-8', body: script }],
  ]);
}

/** True when it answered. */
function answerFile(files: Files, lobby: string, { url = '' }: IncomingMessage, response: ServerResponse): boolean {
  const file = files.get(url.split('?')[0] ?? '');
  if (!file) return false;
  response.writeHead(200, { 'content-type': file.type, 'content-security-policy': policy(lobby) });
  response.end(file.body);
  return true;
}

/** Lobby's front door, as a bank's proxy is one: the page under `/webchat/`, everything else is the service's. */
export class FrontDoor {
  /** The service behind it. */
  target: URL | undefined;
  readonly #server: Server;
  readonly #streams = new Set<Duplex>();
  readonly #posts: string[] = [];
  #isShut = false;
  #lost = '';

  private constructor(files: Files) {
    this.#server = createServer((request, response) => {
      if (!answerFile(files, '', request, response)) void this.#forward(request, response);
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#join(request, socket, head),
    );
  }

  static async open(files: Files): Promise<FrontDoor> {
    const door = new FrontDoor(files);
    await listen(door.#server);
    return door;
  }

  get origin(): string {
    return originOf(this.#server);
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#streams.size / 2;
  }

  /** Ends every stream without a goodbye. */
  cutStreams(): void {
    for (const socket of this.#streams) socket.destroy();
  }

  /** Lets no new stream in until `work` is done. */
  async withoutStreams<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#isShut = true;
    this.cutStreams();
    try {
      return await work();
    } finally {
      this.#isShut = false;
    }
  }

  /** The service takes the next post with these words and its answer gets lost; Chromium may then send it again by itself. */
  loseAnswerTo(words: string): void {
    this.#lost = words;
  }

  /** How many posts held these words. */
  postsOf(words: string): number {
    return this.#posts.filter((body) => body.includes(words)).length;
  }

  async close(): Promise<void> {
    this.cutStreams();
    await closed(this.#server);
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isPost = request.method === 'POST' && request.url?.endsWith('/activities');
    const body = isPost ? await text(request) : null;
    if (body !== null) this.#posts.push(body);
    const loses = this.#lost !== '' && body !== null && body.includes(this.#lost);
    if (loses) this.#lost = '';
    const { method, url: path, headers } = request;
    const asked = askService(new URL(path ?? '', this.target), { method, headers }, (answer) => {
      if (loses) response.destroy();
      else {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }
    });
    asked.on('error', () => response.destroy());
    if (body === null) request.pipe(asked);
    else asked.end(body);
  }

  #join(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { port = '0' } = this.target ?? {};
    if (this.#isShut) {
      socket.destroy();
      return;
    }
    const service = connect(Number(port), '127.0.0.1');
    const { rawHeaders, url } = request;
    const lines = rawHeaders.flatMap((name, index) => (index % 2 ? [] : [`${name}: ${rawHeaders[index + 1]}`]));
    service.write([`GET ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    service.write(head);
    service.pipe(socket).pipe(service);
    for (const [one, other] of [
      [socket, service],
      [service, socket],
    ] as const) {
      this.#streams.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#streams.delete(one);
        other.destroy();
      });
    }
  }
}

/** The bank's own web site. Its server asks Lobby for tokens; the page speaks with Lobby's origin itself. */
export class BankSite {
  readonly #server: Server;

  private constructor(listener: RequestListener) {
    this.#server = createServer(listener);
  }

  static async open(files: Files, lobby: string): Promise<BankSite> {
    const site = new BankSite((request, response) => {
      if (!answerFile(files, lobby, request, response)) void fetchToken(lobby, request, response);
    });
    await listen(site.#server);
    return site;
  }

  get origin(): string {
    return originOf(this.#server);
  }

  close(): Promise<void> {
    return closed(this.#server);
  }
}

async function fetchToken(lobby: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  if (request.url !== '/api/chat/token') {
    response.writeHead(404).end();
    return;
  }
  try {
    const answer = await fetch(`${lobby}/api/chat/token`, { method: 'POST', headers, body: await text(request) });
    response.writeHead(answer.status, headers).end(await answer.text());
  } catch {
    response.destroy();
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
