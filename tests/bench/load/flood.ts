/** The flood: customers who write at a rate of their own, whether or not the service keeps up, and an account of what each was answered. */

import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { percentile } from '../figures.ts';
import { announce, answer } from '../ipc.ts';
import { directLineActivity, NUMBER } from '../turn.ts';
import { usage } from '../usage.ts';
import { type Answers, addFindings, audit, type Findings, NOTHING_WRONG, numberIn, type Shown } from './audit.ts';
import { connectionOf, eachOf } from './chats.ts';
import { Connection, type Response } from './http.ts';
import { beginChat, type Chat } from './posts.ts';

/** Customers who arrive, and how many of them watch their chat over a socket. */
export interface FloodCrowd {
  readonly port: number;
  readonly customers: number;
  readonly watchers: number;
}

/** How many messages are written in a second, and for how long. */
export interface FloodOrder {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Times in milliseconds, from when a customer wanted to write. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** What the messages came to. */
export interface Flooded {
  readonly written: number;
  readonly accepted: Latencies;
  /** Until the last reply stood on a watching customer's screen. */
  readonly answered: Latencies;
  /** Until a refusal. */
  readonly refused: Latencies;
  readonly refusals: Readonly<Record<string, number>>;
  readonly withoutRetryAfter: number;
  /** Neither accepted nor refused as promised: another status, or a connection that broke. */
  readonly otherwise: Readonly<Record<string, number>>;
  /** Wanted to write while every customer's last message was still under way, at worst. */
  readonly mostWaiting: number;
  /** Never sent, because the flood had to end. */
  readonly unsent: number;
  /** Frames on watched sockets that were not the next of their conversation. */
  readonly framesOutOfOrder: number;
  /** Accepted messages of watchers whose last reply never came. */
  readonly framesMissing: number;
}

const AT_ONCE = 32;
const TICK_MS = 1;
/** Node closes a connection that was idle for five seconds; one that old is not trusted with a message. */
const TRUSTED_MS = 3_000;
/** How long those who wait are still served when the time is over, and then those whose message is under way. */
const DRAIN_MS = 5_000;
/** What became of a message whose answer was not waited for any longer. */
const NO_ANSWER = 'no answer';
const REFUSALS = [429, 503];
const RETRY_AFTER = /\r\nretry-after: *\d+\r/i;
const TEXT = `Message ${NUMBER}`;

/** One customer: one conversation, one message under way at most. */
class Customer {
  readonly chat: Chat;
  readonly accepted = new Map<number, string>();
  readonly unknown = new Set<number>();
  /** When the messages under way were wanted; kept for those who watch. */
  readonly wanted = new Map<number, number>();
  readonly #port: number;
  #connection: Connection | undefined;
  #usedAt = 0;

  constructor(chat: Chat, port: number) {
    this.chat = chat;
    this.#port = port;
  }

  /** Opens the connection before there is something to say. */
  async come(): Promise<void> {
    await this.#connect().connected();
    this.#usedAt = performance.now();
  }

  write(n: number, done: (response: Response | null, bytes: Buffer) => void): void {
    const now = performance.now();
    const trusted = this.#connection?.usable && now - this.#usedAt < TRUSTED_MS ? this.#connection : this.#connect();
    trusted.send(n, (response, bytes) => {
      this.#usedAt = performance.now();
      done(response, bytes);
    });
  }

  leave(): void {
    this.#connection?.close();
  }

  #connect(): Connection {
    this.#connection?.close();
    const { conversationId, token } = this.chat;
    this.#connection = new Connection({
      port: this.#port,
      path: `/v3/directline/conversations/${conversationId}/activities`,
      headers: { Authorization: `Bearer ${token}` },
      body: directLineActivity(TEXT),
    });
    return this.#connection;
  }
}

let port = 0;
const customers: Customer[] = [];
const watching = new Set<Customer>();
const sockets: WebSocket[] = [];
const answeredMs: number[] = [];
let framesOutOfOrder = 0;

async function admit(crowd: FloodCrowd): Promise<void> {
  ({ port } = crowd);
  await eachOf(Array.from({ length: crowd.customers }), AT_ONCE, async () => {
    customers.push(new Customer(await beginChat(port), port));
  });
  await eachOf(customers.slice(0, crowd.watchers), AT_ONCE, watch);
}

async function watch(customer: Customer): Promise<void> {
  const { streamUrl } = await connectionOf(port, customer.chat);
  const socket = new WebSocket(streamUrl, { perMessageDeflate: false });
  let last = 0;
  socket.on('message', (frame: Buffer) => {
    const { activities, watermark } = JSON.parse(frame.toString()) as {
      activities: readonly Shown[];
      watermark: string;
    };
    if (Number(watermark) !== last + 1) framesOutOfOrder += 1;
    last = Number(watermark);
    const n = activities[0]?.text?.startsWith('echo 2') ? numberIn(activities[0].text) : Number.NaN;
    const wantedAt = customer.wanted.get(n);
    if (wantedAt === undefined) return;
    customer.wanted.delete(n);
    answeredMs.push(performance.now() - wantedAt);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  sockets.push(socket);
  watching.add(customer);
}

/** Writes until the time is over, then waits for what is under way. */
async function run({ perSecond, seconds }: FloodOrder): Promise<Flooded> {
  const idle = [...customers];
  const waiting: number[] = [];
  const acceptedMs: number[] = [];
  const refusedMs: number[] = [];
  const refusals: Record<string, number> = {};
  const otherwise: Record<string, number> = {};
  const open = new Map<number, Customer>();
  await eachOf(customers, AT_ONCE, (customer) => customer.come());
  let [written, withoutRetryAfter, mostWaiting, next] = [0, 0, 0, 0];

  const write = (customer: Customer, wantedAt: number): void => {
    written += 1;
    const n = written;
    open.set(n, customer);
    if (watching.has(customer)) customer.wanted.set(n, wantedAt);
    customer.write(n, (response, bytes) => {
      open.delete(n);
      settle(customer, n, performance.now() - wantedAt, response, bytes);
      const nextWanted = waiting[next];
      if (nextWanted === undefined) idle.push(customer);
      else {
        next += 1;
        write(customer, nextWanted);
      }
    });
  };
  const settle = (customer: Customer, n: number, took: number, response: Response | null, bytes: Buffer): void => {
    if (response?.status === 200) {
      customer.accepted.set(n, idIn(response, bytes));
      acceptedMs.push(took);
      return;
    }
    customer.wanted.delete(n);
    if (response && REFUSALS.includes(response.status)) {
      refusals[response.status] = (refusals[response.status] ?? 0) + 1;
      if (!RETRY_AFTER.test(bytes.toString('latin1', 0, response.bodyAt))) withoutRetryAfter += 1;
      refusedMs.push(took);
      return;
    }
    customer.unknown.add(n);
    const what = response ? String(response.status) : bytes.toString();
    otherwise[what] = (otherwise[what] ?? 0) + 1;
  };

  announce('measuring');
  const begun = performance.now();
  let wanted = 0;
  while (performance.now() - begun < seconds * 1_000) {
    const due = Math.floor(((performance.now() - begun) / 1_000) * perSecond);
    for (; wanted < due; wanted += 1) {
      const wantedAt = begun + (wanted / perSecond) * 1_000;
      const customer = takeAny(idle);
      if (customer) write(customer, wantedAt);
      else waiting.push(wantedAt);
    }
    mostWaiting = Math.max(mostWaiting, waiting.length - next);
    await pause(TICK_MS);
  }
  announce('measured');
  await until(() => waiting.length === next);
  const unsent = waiting.length - next;
  next = waiting.length;
  await until(() => open.size === 0);
  for (const [n, customer] of open) settle(customer, n, 0, null, Buffer.from(NO_ANSWER));
  for (const customer of customers) customer.leave();
  await until(() => [...watching].every(({ wanted: missing }) => missing.size === 0));
  return {
    written,
    accepted: latencies(acceptedMs),
    answered: latencies(answeredMs),
    refused: latencies(refusedMs),
    refusals,
    withoutRetryAfter,
    otherwise,
    mostWaiting,
    unsent,
    framesOutOfOrder,
    framesMissing: [...watching].reduce((sum, { wanted: missing }) => sum + missing.size, 0),
  };
}

async function until(over: () => boolean): Promise<void> {
  for (const patience = performance.now() + DRAIN_MS; !over() && performance.now() < patience; ) await pause(20);
}

/** Takes one of them out, whichever: who writes next is nobody's plan. */
function takeAny(idle: Customer[]): Customer | undefined {
  const place = Math.floor(Math.random() * idle.length);
  const last = idle.pop();
  const taken = idle[place];
  if (!taken || !last) return last;
  idle[place] = last;
  return taken;
}

function idIn({ bodyAt, end }: Response, bytes: Buffer): string {
  return (JSON.parse(bytes.toString('utf8', bodyAt, end)) as { id: string }).id;
}

function latencies(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).sort();
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    most: sorted.at(-1) ?? 0,
  };
}

/** Reads every conversation as its customer would, and holds it against what they were answered. */
async function auditAll(): Promise<Findings> {
  let findings = NOTHING_WRONG;
  await eachOf(customers, AT_ONCE, async (customer) => {
    findings = addFindings(findings, audit(await readAll(customer.chat), customer satisfies Answers));
  });
  for (const socket of sockets) socket.close();
  return findings;
}

async function readAll({ conversationId, token }: Chat): Promise<readonly Shown[]> {
  const rows: Shown[] = [];
  for (let watermark = '0'; ; ) {
    const response = await fetch(
      `http://127.0.0.1:${port}/v3/directline/conversations/${conversationId}/activities?watermark=${watermark}`,
      { headers: { Authorization: `Bearer ${token}` } },
    );
    if (!response.ok) throw new Error(`A conversation was answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { activities: readonly Shown[]; watermark: string };
    if (page.activities.length === 0) return rows;
    rows.push(...page.activities);
    ({ watermark } = page);
  }
}

answer({ admit, run, audit: auditAll, usage });
