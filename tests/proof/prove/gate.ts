/**
 * The gate without the bot framework: the service's own turns, commit lane, record, wake-ups, timers and outbox sender
 * around a bot of three lines. It starts in a fraction of a second, and dies wherever its parent wishes.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { v4, v7 } from 'uuid';
import { CodedError, type Inbound, type Sender, type TurnOutcome } from '../../../adapters/channel.ts';
import { activityId, renderSet } from '../../../adapters/directline/activity-out.ts';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { CommitLane } from '../../../bot/commit-lane.ts';
import { coordinate } from '../../../bot/coordination.ts';
import { startDelivery } from '../../../bot/delivery.ts';
import { startTimers } from '../../../bot/jobs.ts';
import { createLog } from '../../../bot/log.ts';
import { createMetrics } from '../../../bot/metrics.ts';
import { type BotRunner, Turns } from '../../../bot/turn.ts';
import { within } from '../../../bot/within.ts';
import { commitTurns, createTurnRecord } from '../../../record/conversations.ts';
import type { Database, TurnRecord } from '../../../record/types.ts';
import { WebChat } from '../../../record/web-chat.ts';
import type { GateReady, GateSettings, Order, Point } from './points.ts';

const ZONE = 'Asia/Shanghai';
const LIMITS = { answerWithinMs: 150, giveUpAfterMs: 10_000, answerTakeOverMs: 1_500 };
const POLL_MS = 200;

/** Kills this process where it was told to. */
class Doom {
  #order: Order | null = null;

  obey(order: Order): void {
    this.#order = order;
  }

  /** The process comes by this point. */
  reach(point: Point): void {
    if (this.#isDue(point)) die();
  }

  /** The process is in the middle of this for some milliseconds. */
  enter(point: Point): void {
    const { afterMs } = this.#order ?? { afterMs: 0 };
    if (this.#isDue(point)) setTimeout(die, afterMs);
  }

  #isDue(point: Point): boolean {
    if (this.#order?.point !== point) return false;
    const { skip } = this.#order;
    this.#order = skip > 0 ? { ...this.#order, skip: skip - 1 } : null;
    return skip === 0;
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Counts its turns in its state, and says every message back twice. `slow` ones take longer than the customer is kept waiting. */
const bot: BotRunner = {
  async run({ text = '' }, { state }) {
    if (text.startsWith('slow')) await pause(400);
    if (text.startsWith('very slow')) await pause(2_200);
    const replies = [1, 2].map((n) => ({ type: 'message', text: `${n}: ${text}` }));
    return { replies, state: { turns: Number(state.turns ?? 0) + 1 }, effects: [] };
  },
  apologise: () => ({ replies: [{ type: 'message', text: 'sorry' }], state: null, effects: [] }),
};

/** The record's port with a point before and after what it does. */
function doomedRecord(database: Database, doom: Doom): TurnRecord {
  const record = createTurnRecord(database, ZONE);
  const lane = new CommitLane(
    async (turns) => {
      doom.reach(turns.some(({ key }) => key.startsWith('answer:')) ? 'late-answer' : 'before-commit');
      const committing = commitTurns(database, turns, ZONE);
      doom.enter('in-commit');
      const results = await committing;
      const isAwaited = turns.some(({ cause }, place) => cause.direction === 'in' && results[place]?.outcome === 'ok');
      if (isAwaited) doom.reach('after-commit-before-ack');
      return results;
    },
    1,
    () => performance.now(),
  );
  return {
    ...record,
    async load(conversationId, key) {
      const loaded = await record.load(conversationId, key);
      doom.reach('after-load');
      return loaded;
    },
    commit: (turn) => lane.commit(turn),
  };
}

/** Posts to the address the message came with, as the real channel does. */
function doomedSender(doom: Doom): Sender {
  return {
    channel: 'azure',
    async send({ route, activities }) {
      doom.reach('outbox-before-send');
      const wireId = await post(route, { text: activities.map(({ body }) => body.text).join('\n') });
      doom.reach('outbox-after-send');
      return { wireId };
    },
  };
}

async function post(url: string, body: object): Promise<string> {
  try {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(url, { method: 'POST', headers, signal, body: JSON.stringify(body) });
    return ((await response.json()) as { id: string }).id;
  } catch (cause) {
    throw new CodedError('send_unknown', 'Whether the channel took the message is not known.', { cause });
  }
}

async function main({ databaseUrl, redisUrl }: GateSettings): Promise<void> {
  const doom = new Doom();
  process.on('message', (order: Order) => doom.obey(order));
  process.on('disconnect', () => process.exit(0));

  const log = createLog('warn');
  const metrics = createMetrics();
  const database = await untilOpen(databaseUrl, 'lobby_app');
  const outbox = await untilOpen(databaseUrl, 'lobby_sender');
  const bootId = v4();
  const { wake, lease } = await coordinate({ redisUrl: redisUrl ?? undefined, database, bootId, log, metrics });
  const masker = {
    mask: (activity: Inbound['activity']) => ({ activity, erased: [] }),
    maskRest: (_recent: readonly string[], text: string) => ({ text, erased: [] }),
  };
  const turns = new Turns({
    record: doomedRecord(database, doom),
    bot,
    masker,
    wake,
    ...(lease && { lease }),
    log,
    metrics,
    newId: v7,
    within,
    limits: LIMITS,
  });
  const senders = [doomedSender(doom)];
  const delivery = startDelivery({
    database: outbox,
    senders,
    newId: v4,
    random: Math.random,
    log,
    metrics,
    pollMs: POLL_MS,
  });
  wake.subscribe(({ queued }) => {
    if (queued) delivery.nudge();
  });
  startTimers({
    database,
    turns: {
      async fire(timer) {
        doom.reach('timer-before-fire');
        await turns.fire(timer);
        doom.reach('timer-after-fire');
      },
    },
    log,
    pollMs: POLL_MS,
  });

  const door = new Door(turns, new WebChat(database), doom);
  const server = createServer((request, response) => void door.answer(request, response));
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port } satisfies GateReady);
  });
}

/** The database may be the one being killed. */
async function untilOpen(connectionString: string, role: string): Promise<PostgresDatabase> {
  for (;;) {
    try {
      return await openDatabase({ connectionString, applicationName: 'lobby-gate', role });
    } catch {
      await pause(100);
    }
  }
}

interface Posted {
  readonly id?: string;
  readonly text?: string;
  readonly serviceUrl?: string;
  readonly conversation?: { readonly id: string };
  readonly channelData?: { readonly idempotencyKey?: string };
}

interface Reply {
  readonly status: number;
  readonly body: object;
  readonly retryAfterSeconds?: number;
}

/** Just so much of Direct Line and of the Bot Framework's endpoint that the customers of this proof can use them. */
class Door {
  readonly #turns: Turns;
  readonly #chat: WebChat;
  readonly #doom: Doom;

  constructor(turns: Turns, chat: WebChat, doom: Doom) {
    this.#turns = turns;
    this.#chat = chat;
    this.#doom = doom;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#serve(request).catch((): Reply => ({ status: 503, body: {}, retryAfterSeconds: 1 }));
    const { status, body, retryAfterSeconds } = reply;
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    });
    if (status === 200 && request.method === 'POST') response.on('finish', () => this.#doom.reach('after-ack'));
    response.end(JSON.stringify(body));
  }

  async #serve(request: IncomingMessage): Promise<Reply> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://gate');
    const conversationId = pathname.split('/')[4] ?? request.headers.authorization?.replace('Bearer ', '') ?? '';
    switch (`${request.method} ${pathname.split('/').at(-1)}`) {
      case 'POST token': {
        const id = idOf(v4());
        return { status: 200, body: { token: id, conversationId: id, userId: `dl_${id}` } };
      }
      case 'POST conversations':
        await this.#chat.begin(conversationId, `dl_${conversationId}`);
        return { status: 201, body: { conversationId, token: conversationId } };
      case 'POST activities':
        return await this.#say(conversationId, await readBody(request));
      case 'GET activities': {
        const after = Number(searchParams.get('watermark') ?? 0);
        const rows = await this.#chat.rowsAfter(conversationId, after, 200);
        const rendering = { userId: `dl_${conversationId}`, botName: 'gate', uploadUrl: () => '' };
        return { status: 200, body: renderSet(rows, after, rendering) };
      }
      case 'POST messages':
        return await this.#take(await readBody(request));
      default:
        return { status: 404, body: {} };
    }
  }

  async #say(conversationId: string, { text = '', channelData }: Posted): Promise<Reply> {
    this.#doom.reach('after-receive');
    const outcome = await this.#turns.receive({
      channel: 'web',
      conversationId,
      key: `web:${conversationId}:${channelData?.idempotencyKey}`,
      activity: { type: 'message', text, channelData },
      delivery: { by: 'stream' },
    });
    return replyTo(outcome, conversationId);
  }

  async #take({ id = '', text = '', conversation, serviceUrl }: Posted): Promise<Reply> {
    this.#doom.reach('after-receive');
    const thread = conversation?.id ?? '';
    const conversationId = idOf(thread);
    const outcome = await this.#turns.receive({
      channel: 'azure',
      conversationId,
      key: `az:gate:${conversationId}:${createHash('sha256').update(id).digest('base64url')}`,
      activity: { type: 'message', text, from: { id: thread, name: '' } },
      delivery: { by: 'outbox', route: `${serviceUrl}/v3/conversations/${thread}/activities/${id}` },
    });
    return replyTo(outcome, conversationId);
  }
}

function replyTo(outcome: TurnOutcome, conversationId: string): Reply {
  switch (outcome.status) {
    case 'done':
    case 'repeat':
      return { status: 200, body: { id: activityId(conversationId, outcome.activities[0]?.seq ?? 0) } };
    case 'busy':
      return { status: 429, body: {}, retryAfterSeconds: outcome.retryAfterSeconds };
    case 'unavailable':
      return { status: 503, body: {}, retryAfterSeconds: outcome.retryAfterSeconds };
    case 'unknown_conversation':
      return { status: 404, body: {} };
  }
}

/** 22 characters of base64url, always the same for the same thread. */
function idOf(thread: string): string {
  return createHash('sha256').update(thread).digest('base64url').slice(0, 22);
}

async function readBody(request: IncomingMessage): Promise<Posted> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Posted;
}

await main(JSON.parse(process.env.GATE ?? '{}') as GateSettings);
