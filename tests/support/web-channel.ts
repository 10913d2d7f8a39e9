/** The web channel on a real server, a real database and the real turn gate, with a bot that echoes. */

import { randomBytes } from 'node:crypto';
import { createServer } from 'restify';
import { WebSocket } from 'ws';
import { DEFAULT_CONFIG, type DirectLineConfig } from '../../adapters/directline/config.ts';
import { createDirectLine, type DirectLine, type DirectLineParts } from '../../adapters/directline/direct-line.ts';
import type { VisitorToken } from '../../adapters/directline/issuing.ts';
import { DEFAULT_STREAM, type StreamLimits } from '../../adapters/directline/stream.ts';
import { speakContract } from '../../adapters/http.ts';
import { LocalWake } from '../../adapters/redis/local-wake.ts';
import type { TurnLimits } from '../../bot/turn.ts';
import type { Database } from '../../record/types.ts';
import { WebChat } from '../../record/web-chat.ts';
import { createEchoBot, createEchoGate, type EchoBot } from './echo-gate.ts';
import { silentLog } from './log.ts';

export interface WebChannelSettings {
  readonly config?: Partial<DirectLineConfig>;
  readonly stream?: Partial<StreamLimits>;
  readonly turns?: Partial<TurnLimits>;
  readonly parts?: Partial<DirectLineParts>;
}

/** A running web channel. */
export interface WebChannel {
  /** For a second instance that believes the same tokens. */
  readonly keys: DirectLineParts['keys'];
  readonly base: string;
  readonly domain: string;
  readonly directLine: DirectLine;
  readonly wake: LocalWake;
  readonly bot: EchoBot;
  /** Moves the channel's clock. */
  pass(seconds: number): void;
  close(): Promise<void>;
}

/** Rates no test reaches by accident. */
const HIGH = { points: 1_000_000, seconds: 60 };
const HIGH_LIMITS = Object.fromEntries(
  Object.keys(DEFAULT_CONFIG.limits).map((name) => [name, HIGH]),
) as unknown as DirectLineConfig['limits'];

export async function startWebChannel(database: Database, settings: WebChannelSettings = {}): Promise<WebChannel> {
  let ahead = 0;
  const wake = new LocalWake((error) => {
    throw error;
  });
  const bot = createEchoBot();
  const gate = createEchoGate({ database, wake, bot, ...(settings.turns && { limits: settings.turns }) });
  const keys: DirectLineParts['keys'] = settings.parts?.keys ?? [
    { id: 'test', token: randomBytes(32), visitor: randomBytes(32), upload: randomBytes(32) },
  ];
  const directLine = createDirectLine({
    gate,
    wake,
    record: new WebChat(database),
    keys,
    clock: () => new Date(Date.now() + ahead),
    random: randomBytes,
    log: silentLog,
    ...settings.parts,
    config: { limits: HIGH_LIMITS, ...settings.config, stream: { ...DEFAULT_STREAM, ...settings.stream } },
  });
  const server = createServer();
  speakContract(server);
  directLine.mount(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  return {
    base,
    domain: `${base}/v3/directline`,
    keys,
    directLine,
    wake,
    bot,
    pass(seconds) {
      ahead += seconds * 1000;
    },
    async close() {
      await gate.close();
      await directLine.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        (server.server as { closeAllConnections?: () => void }).closeAllConnections?.();
      });
    },
  };
}

/** What an HTTP call came back with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields they expect.
  readonly body: any;
}

export async function call(url: string, token: string | null, init: RequestInit = {}): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const answer = await fetch(url, { ...init, headers });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') ?? false;
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}

export function postJson(
  url: string,
  token: string | null,
  value: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return call(url, token, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

/** A visitor with a conversation that has begun. */
export interface Visitor extends VisitorToken {
  readonly streamUrl: string;
  /** The address of this conversation. */
  readonly address: string;
  say(text: string, channelData?: object): Promise<Answer>;
  post(activity: unknown): Promise<Answer>;
  poll(watermark?: string): Promise<Answer>;
}

export async function newVisitor(channel: WebChannel): Promise<Visitor> {
  const issued = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
  const { body } = await postJson(`${channel.domain}/conversations`, issued.token, {});
  return asVisitor(channel, issued, body.streamUrl);
}

export function asVisitor(channel: WebChannel, issued: VisitorToken, streamUrl: string): Visitor {
  const address = `${channel.domain}/conversations/${issued.conversationId}`;
  const post = (activity: unknown): Promise<Answer> => postJson(`${address}/activities`, issued.token, activity);
  return {
    ...issued,
    streamUrl,
    address,
    post,
    say: (text, channelData = {}) => post({ type: 'message', text, channelData }),
    poll: (watermark = '') => call(`${address}/activities?watermark=${watermark}`, issued.token),
  };
}

/** A frame of the stream. */
export interface Frame {
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields they expect.
  readonly activities: readonly any[];
  readonly watermark?: string;
}

/** An open stream that remembers what it was sent. */
export interface OpenStream {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  /** Every activity so far, in the order it came. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields they expect.
  activities(): any[];
  texts(): string[];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
}

export function openStream(url: string, options: { origin?: string } = {}): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options.origin === undefined ? {} : { origin: options.origin });
    const frames: Frame[] = [];
    const activities = () => frames.flatMap((frame) => frame.activities);
    const closed = new Promise<number>((settle) => socket.on('close', (code) => settle(code)));
    socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
    socket.on('unexpected-response', (_request, response) => reject(new Error(`refused with ${response.statusCode}`)));
    socket.on('error', reject);
    socket.on('open', () =>
      resolve({ socket, frames, activities, texts: () => activities().map(({ text }) => text), closed }),
    );
  });
}

/** Asks for a stream address after a watermark, and opens it. */
export async function comeBack(visitor: Visitor, watermark: string | number = ''): Promise<OpenStream> {
  const { body } = await call(`${visitor.address}?watermark=${watermark}`, visitor.token);
  return openStream(body.streamUrl);
}
