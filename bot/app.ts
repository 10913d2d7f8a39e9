/** The service put together: the one place that makes every part and hands each what it needs. */

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import restify, { type Server } from 'restify';
import { v4, v7 } from 'uuid';
import type { BotFramework } from '../adapters/bot-framework/adapter.ts';
import type { DirectLine } from '../adapters/directline/direct-line.ts';
import { speakContract } from '../adapters/http.ts';
import type { PostgresDatabase } from '../adapters/postgres/database.ts';
import { commitTurns, createTurnRecord } from '../record/conversations.ts';
import { loadDemo } from '../record/demo-data.ts';
import type { Database, TurnRecord } from '../record/types.ts';
import { createAssistant, openRates, type ReloadedRates } from './assistant.ts';
import { BANK } from './bank.ts';
import { createBankTokens } from './bank-token.ts';
import { createOutsideChannels, createWebChannel } from './channels.ts';
import { CommitLane, type CommitTurns } from './commit-lane.ts';
import type { Config } from './config.ts';
import { type Coordination, coordinate } from './coordination.ts';
import { openDataKey } from './data-key.ts';
import { startDelivery } from './delivery.ts';
import { Door, Ending } from './ending.ts';
import { startTimers } from './jobs.ts';
import { Keys, openThreadIndex } from './keys.ts';
import type { Log } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import { createMasker } from './masker.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openRecord, openSender } from './open-record.ts';
import { Pressure } from './pressure.ts';
import { mountChat } from './routes/chat.ts';
import { createReadiness, mountHealth, mountMetrics, serveMetrics } from './routes/health.ts';
import { mountMessages } from './routes/messages.ts';
import { mountPages } from './routes/pages.ts';
import { type BotRunner, type TurnLimits, Turns } from './turn.ts';
import { Visits } from './visits.ts';
import { within } from './within.ts';

const POLL_MS = 500;
/** How often an instance that cannot be woken looks whether others have written to its customers. */
const LOOK_EVERY_MS = 1_000;
const RATES_EVERY_MS = 3_600_000;
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
  const { connectionString, database } = await openRecord(config, log, ending);
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
  }
  const rates = await openRates(config, database);

  const lane = openLane(database, config.bank.timeZone, parts.commitLanes ?? LANES);
  const pressure = new Pressure(
    () => lane.waitMs(),
    () => performance.now(),
  );
  const relax = pressure.watch();
  ending.add(() => Promise.resolve(relax()));
  const turns = new Turns({
    record: lane.record,
    ...(coordination.lease && { lease: coordination.lease }),
    visits: new Visits(v7, () => performance.now()),
    bot: parts.bot ?? createAssistant(config, rates, now),
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
  const directLine = createWebChannel(config, { turns, database, coordination, pressure, keys, now, log, metrics });
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
  watchService(metrics, database, lane);

  const outbox = botFramework ? await openSender(connectionString, ending) : null;
  startLoops({ botFramework, outbox, database, turns, coordination, directLine, rates, log, metrics }, ending);
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

/** The record with its commits in one lane, and how long turns wait for theirs to begin, in milliseconds. */
interface Lane {
  readonly record: TurnRecord;
  waitMs(): number;
}

/** Under load turns share their commits. Without lanes each turn commits by itself. */
function openLane(database: Database, zone: string, lanes: number): Lane {
  const record = createTurnRecord(database, zone);
  if (lanes === 0) return { record, waitMs: () => 0 };
  const commit: CommitTurns = (turns) => commitTurns(database, turns, zone);
  const lane = new CommitLane(commit, lanes, () => performance.now());
  return { record: { ...record, commit: (turn) => lane.commit(turn) }, waitMs: () => lane.waitMs };
}

/** The bank's own key, or in the demo one that nobody has to know. */
function bankTokenKey(config: Config, keys: Keys): Uint8Array {
  const { bankTokenKey: given } = config.chat;
  return given === undefined ? keys.derive('bank-token') : new TextEncoder().encode(given);
}

interface LoopParts {
  readonly botFramework: BotFramework | null;
  /** The sender's pool; null when no channel needs pushing. */
  readonly outbox: PostgresDatabase | null;
  readonly rates: ReloadedRates;
  readonly database: PostgresDatabase;
  readonly turns: Turns;
  readonly coordination: Coordination;
  readonly directLine: DirectLine;
  readonly log: Log;
  readonly metrics: Metrics;
}

function startLoops(parts: LoopParts, ending: Ending): void {
  const { botFramework, outbox, database, turns, coordination, directLine, rates, log, metrics } = parts;
  const loops: Loop[] = [
    startTimers({ database, turns, log, pollMs: POLL_MS }),
    startLoop({ pollMs: LOOK_EVERY_MS, log, name: 'look' }, async () => {
      if (coordination.mustLook()) await directLine.sweep();
      return false;
    }),
    startLoop({ pollMs: RATES_EVERY_MS, log, name: 'rates' }, async () => {
      await rates.reload();
      return false;
    }),
  ];
  if (botFramework && outbox) {
    const senders = [botFramework.sender];
    const delivery = startDelivery({
      database: outbox,
      senders,
      newId: v4,
      random: Math.random,
      log,
      metrics,
      pollMs: POLL_MS,
    });
    const ends = coordination.wake.subscribe(({ queued }) => {
      if (queued) delivery.nudge();
    });
    ending.add(() => Promise.resolve(ends()));
    loops.push(delivery);
  }
  ending.add(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
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
  // A file on a slow phone takes its time; bodies have limits of their own.
  server.server.requestTimeout = 90_000;
  server.server.headersTimeout = 10_000;
  return server;
}

function builtPages(): string {
  const compiled = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(compiled ? '../web/' : '../dist/web/', import.meta.url));
}

function watchService(metrics: Metrics, database: PostgresDatabase, lane: Lane): void {
  metrics.watch(
    'lobby_commit_wait_seconds',
    'How long turns wait for their commit to begin.',
    () => lane.waitMs() / 1000,
  );
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
