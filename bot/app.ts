/** The service put together: the one place that makes every part and hands each what it needs. */

import { randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import restify, { type Server } from 'restify';
import { v4, v7 } from 'uuid';
import { type BotFramework, createBotFramework } from '../adapters/bot-framework/adapter.ts';
import { createDirectLine, type DirectLine } from '../adapters/directline/direct-line.ts';
import { DEFAULT_LIMITS } from '../adapters/directline/limits.ts';
import { DEFAULT_UPLOADS } from '../adapters/directline/uploads.ts';
import { speakContract, trustProxies } from '../adapters/http.ts';
import { openDatabase, type PostgresDatabase } from '../adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { shelve } from '../dialogs/shelf.ts';
import { en } from '../dialogs/strings/en.ts';
import { zh } from '../dialogs/strings/zh.ts';
import { readArticles } from '../knowledge/article.ts';
import { createLocalRecognizer } from '../knowledge/recognizer.ts';
import { commitTurns, createTurnRecord } from '../record/conversations.ts';
import { migrate, readMigrations } from '../record/database.ts';
import { loadDemo } from '../record/demo-data.ts';
import { loadRates, seedDemoRates } from '../record/rates.ts';
import type { Database, TurnCommit, TurnRecord } from '../record/types.ts';
import { WebChat } from '../record/web-chat.ts';
import { BANK } from './bank.ts';
import { createBankTokens } from './bank-token.ts';
import { CommitLane } from './commit-lane.ts';
import type { Config } from './config.ts';
import { type Coordination, coordinate } from './coordination.ts';
import { openDataKey } from './data-key.ts';
import { startDelivery } from './delivery.ts';
import { startTimers } from './jobs.ts';
import { Keys, openThreadIndex, type ThreadIndex } from './keys.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop.ts';
import { createMasker } from './masker.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { mountChat } from './routes/chat.ts';
import { createReadiness, mountHealth, mountMetrics, serveMetrics } from './routes/health.ts';
import { mountMessages } from './routes/messages.ts';
import { mountPages } from './routes/pages.ts';
import { createBotRunner } from './runner.ts';
import { type BotRunner, type TurnLimits, Turns } from './turn.ts';
import { within } from './within.ts';

const POLL_MS = 500;
/** How often an instance that cannot be woken looks whether others have written to its customers. */
const LOOK_EVERY_MS = 1_000;
/** Statements of the commit lane under way at once. */
const LANES = 1;
const FINISH_TURNS_WITHIN_MS = 10_000;

/** What may be passed in besides the settings, by tests and benchmarks. */
export interface AppParts {
  readonly log: Log;
  readonly now?: () => Date;
  /** Stands in for the bank's assistant. */
  readonly bot?: BotRunner;
  readonly limits?: Partial<TurnLimits>;
  /** How many batches of commits may be under way at once; 0 commits every turn by itself. */
  readonly commitLanes?: number;
  /** The built pages; absent, those beside the compiled program. */
  readonly pagesFolder?: string;
}

/** The running service. */
export interface App {
  /** Where it listens, without a trailing slash. */
  readonly address: string;
  /** As the service's own role. For tests and commands. */
  readonly database: PostgresDatabase;
  /** Finishes what was taken, then ends everything that was started, the private PostgreSQL last. */
  close(): Promise<void>;
}

/** Starts the service. Resolves when it answers; rejects with a sentence, having ended what it had started. */
export async function createApp(config: Config, parts: AppParts): Promise<App> {
  const ending = new Ending();
  try {
    return await start(config, parts, ending);
  } catch (error) {
    await ending.run();
    throw error;
  }
}

async function start(config: Config, parts: AppParts, ending: Ending): Promise<App> {
  const { log, now = () => new Date() } = parts;
  const database = await openRecord(config, log, ending);
  const keys = new Keys(await openDataKey(config));
  const threadIndex = await openThreadIndex(database, keys);
  const metrics = createMetrics();
  const bootId = v4();
  const { redisUrl } = config;
  const coordination = await coordinate({ redisUrl, database, bootId, log, metrics });
  ending.add(() => coordination.close());
  const { wake } = coordination;
  const bankTokens = createBankTokens(bankTokenKey(config, keys), keys.derive('bank-ref'), now);
  if (config.mode === 'demo') {
    await loadDemo(database, { bankRef: bankTokens.bankRef, newId: v7 });
    await seedDemoRates(database);
  }

  const turns = new Turns({
    record: throughLane(
      createTurnRecord(database, config.bank.timeZone),
      database,
      config,
      parts.commitLanes ?? LANES,
      metrics,
    ),
    ...(coordination.lease && { lease: coordination.lease }),
    bot: parts.bot ?? (await createAssistant(config, database, now)),
    masker: createMasker(metrics),
    wake,
    log,
    metrics,
    newId: v7,
    within,
    ...(parts.limits && { limits: parts.limits }),
  });

  const server = createServer();
  speakContract(server);
  const directLine = createWebChannel(config, { turns, database, coordination, keys, now, log, metrics });
  directLine.mount(server);
  const door = new Door(server.server);
  ending.add(() => door.closed());
  ending.add(() => directLine.close());
  mountChat(server, { config, bank: BANK, directLine, bankTokens, database, newId: v7, now, log });
  const botFramework = createOutsideChannels(config, turns, threadIndex, keys);
  if (botFramework) mountMessages(server, botFramework, log);
  const readiness = createReadiness(database, bootId);
  mountHealth(server, readiness, log);
  if (config.mode === 'demo') mountMetrics(server, metrics.registry, log);
  mountPages(server, { folder: parts.pagesFolder ?? builtPages(), origins: config.chat.origins });
  watchService(metrics, database);

  startLoops({ botFramework, database, turns, coordination, directLine, log, metrics }, ending);
  ending.add(() => finishTurns(turns, log));
  await serveMetricsApart(config, metrics, ending);
  const address = await listen(server, config);
  ending.add(() => {
    readiness.drain();
    door.shut();
    return Promise.resolve();
  });
  return { address, database, close: () => ending.run() };
}

/** What has to be ended, in the opposite order of its beginning. */
class Ending {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }
}

/** The way in. Shut first and closed last: what is inside is finished in between, and only then are lines cut. */
class Door {
  readonly #server: HttpServer;
  #closing: Promise<void> | null = null;

  constructor(server: HttpServer) {
    this.#server = server;
  }

  /** Nobody comes in any more; who is inside stays. */
  shut(): void {
    this.#closing ??= new Promise((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
  }

  /** Resolves when everybody has left. */
  async closed(): Promise<void> {
    this.#server.closeAllConnections();
    await this.#closing;
  }
}

async function openRecord(config: Config, log: Log, ending: Ending): Promise<PostgresDatabase> {
  const connectionString =
    config.storage.databaseUrl ?? (await startPrivatePostgres(config.storage.dataDir, log, ending));
  await migrateRecord(connectionString, log);
  const database = await openDatabase({ connectionString, applicationName: 'lobby', role: 'lobby_app' });
  ending.add(() => database.close());
  return database;
}

async function startPrivatePostgres(dataDir: string, log: Log, ending: Ending): Promise<string> {
  const server = await startEmbeddedPostgres({
    dataDir,
    log: (sentence) => log.info({ msg_code: 'postgres' }, sentence),
  });
  ending.add(() => server.stop());
  return server.connectionString;
}

/** Migrations run as the login that owns the tables, on a connection of their own. */
async function migrateRecord(connectionString: string, log: Log): Promise<void> {
  const owner = await openDatabase({
    connectionString,
    applicationName: 'lobby-migrations',
    max: 1,
    statementTimeoutMs: 0,
  });
  try {
    const folder = fileURLToPath(new URL('../record/migrations/', import.meta.url));
    await migrate(owner, await readMigrations(folder), (sentence) => log.info({ msg_code: 'migration' }, sentence));
  } finally {
    await owner.close();
  }
}

/** Under load turns share their commits; how long they wait for one is measured. */
function throughLane(
  record: TurnRecord,
  database: Database,
  config: Config,
  lanes: number,
  metrics: Metrics,
): TurnRecord {
  if (lanes === 0) return record;
  const many = (turns: readonly TurnCommit[]) => commitTurns(database, turns, config.bank.timeZone);
  const lane = new CommitLane({ one: record.commit, many }, lanes, () => performance.now());
  metrics.watch(
    'lobby_commit_wait_seconds',
    'How long turns wait for their commit to begin.',
    () => lane.waitMs / 1000,
  );
  return { ...record, commit: (turn) => lane.commit(turn) };
}

/** The bank's own key, or in the demo one that nobody has to know. */
function bankTokenKey(config: Config, keys: Keys): Uint8Array {
  const { bankTokenKey: given } = config.chat;
  return given === undefined ? keys.derive('bank-token') : new TextEncoder().encode(given);
}

/** The assistant, with what it knows and may say. */
async function createAssistant(config: Config, database: PostgresDatabase, now: () => Date): Promise<BotRunner> {
  const articles = readArticles(fileURLToPath(new URL('../knowledge/articles/', import.meta.url)));
  const collaborators = {
    recognizer: createLocalRecognizer(articles),
    articles: shelve(articles),
    rates: await loadRates(database),
    strings: { zh, en },
    bank: BANK,
  };
  return createBotRunner({ collaborators, zone: config.bank.timeZone, now });
}

interface WebParts {
  readonly turns: Turns;
  readonly database: PostgresDatabase;
  readonly coordination: Coordination;
  readonly keys: Keys;
  readonly now: () => Date;
  readonly log: Log;
  readonly metrics: Metrics;
}

function createWebChannel(
  config: Config,
  { turns, database, coordination, keys, now, log, metrics }: WebParts,
): DirectLine {
  const { chat, http, rates } = config;
  const minute = (points: number): { points: number; seconds: number } => ({ points, seconds: 60 });
  return createDirectLine({
    gate: turns,
    record: new WebChat(database),
    wake: coordination.wake,
    limiter: coordination.limiter,
    once: coordination.once,
    keys: [
      {
        id: keys.id,
        token: keys.derive('directline-token'),
        visitor: keys.derive('directline-visitor'),
        upload: keys.derive('directline-upload'),
      },
    ],
    config: {
      secret: chat.directLineSecret ?? null,
      chatOrigins: chat.origins,
      publicUrl: http.publicUrl ?? null,
      trustedProxies: trustProxies(http.trustedProxies),
      uploads: chat.uploads ? DEFAULT_UPLOADS : null,
      limits: {
        ...DEFAULT_LIMITS,
        tokensPerAddress: minute(rates.tokensPerAddress),
        startsPerAddress: minute(rates.conversationsPerAddress),
        postsPerConversation: minute(rates.postsPerConversation),
        postsPerUser: minute(rates.postsPerConversation * 2),
        uploadsPerConversation: minute(rates.uploadsPerConversation),
      },
      botName: BANK.name.zh,
    },
    clock: now,
    random: randomBytes,
    log,
    metrics: metrics.directLine,
  });
}

/** Bot Framework channels, unless the bank has closed them. */
function createOutsideChannels(config: Config, gate: Turns, threadIndex: ThreadIndex, keys: Keys): BotFramework | null {
  const { botFramework: access } = config;
  if (access.access === 'closed') return null;
  return createBotFramework({
    credentials: access.access === 'open' ? null : access,
    gate,
    threadIndex,
    seal: (text) => keys.seal('route', 'outbox.route', text),
    open: (sealed) => keys.open('route', 'outbox.route', sealed),
    newId: v7,
  });
}

interface LoopParts {
  readonly botFramework: BotFramework | null;
  readonly database: PostgresDatabase;
  readonly turns: Turns;
  readonly coordination: Coordination;
  readonly directLine: DirectLine;
  readonly log: Log;
  readonly metrics: Metrics;
}

function startLoops(parts: LoopParts, ending: Ending): void {
  const { botFramework, database, turns, coordination, directLine, log, metrics } = parts;
  const senders = botFramework ? [botFramework.sender] : [];
  const delivery = startDelivery({ database, senders, newId: v4, random: Math.random, log, metrics, pollMs: POLL_MS });
  const timers = startTimers({ database, turns, log, pollMs: POLL_MS });
  const ends = coordination.wake.subscribe(() => delivery.nudge());
  const looking = startLoop({ pollMs: LOOK_EVERY_MS, log, name: 'look' }, async () => {
    if (coordination.mustLook()) await directLine.sweep();
    return false;
  });
  ending.add(async () => {
    ends();
    await Promise.all([delivery.stop(), timers.stop(), looking.stop()]);
  });
}

async function serveMetricsApart(config: Config, metrics: Metrics, ending: Ending): Promise<void> {
  const { metricsPort } = config.http;
  if (metricsPort === undefined) return;
  const server = await serveMetrics(metricsPort, metrics.registry);
  ending.add(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
}

function createServer(): Server {
  const server = restify.createServer({ name: 'Lobby', handleUncaughtExceptions: false });
  server.server.maxHeadersCount = 100;
  server.server.requestTimeout = 30_000;
  server.server.headersTimeout = 10_000;
  return server;
}

function builtPages(): string {
  const compiled = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(compiled ? '../web/' : '../dist/web/', import.meta.url));
}

function watchService(metrics: Metrics, database: PostgresDatabase): void {
  metrics.watch('lobby_pg_pool_waiting', 'Statements waiting for a connection.', () => database.waiting);
}

async function listen(server: Server, config: Config): Promise<string> {
  const { host, port, publicUrl } = config.http;
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  const bound = server.server.address();
  const at = typeof bound === 'object' && bound ? bound.port : port;
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${at}`;
}

async function finishTurns(turns: Turns, log: Log): Promise<void> {
  const finished = await Promise.race([
    turns.close().then(() => true),
    pause(FINISH_TURNS_WITHIN_MS, false, { ref: false }),
  ]);
  if (!finished)
    log.warn({ msg_code: 'turns_cut' }, 'Some turns did not finish in time; their messages were not acknowledged.');
}
