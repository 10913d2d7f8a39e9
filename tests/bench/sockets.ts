/** Many idle sockets on one instance: what each costs in memory beside a bare one, what the sweep asks, and what turns feel of them. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atMost, type Check, checksTable, exactly } from './checks.ts';
import { spread } from './figures.ts';
import type { Child } from './ipc.ts';
import type { CrowdOrder, CrowdState } from './load/crowd.ts';
import type { LoadOrder } from './load/main.ts';
import type { Memory } from './memory.ts';
import type { SocketsOptions } from './options.ts';
import { grid } from './report.ts';
import type { ServerParts } from './servers/serve.ts';
import type { Parts, Stage } from './stage.ts';
import type { Usage } from './usage.ts';
import type { Counted } from './window.ts';

const FIRST = { clients: 16, warmSeconds: 0, seconds: 3, dialect: 'lobby', route: 'own' } as const;
const TURNS = { clients: 16, warmSeconds: 1, seconds: 6, dialect: 'lobby', route: 'own' } as const;
/** Together longer than a sweep is away. */
const WINDOWS = 3;
/** Opened and closed again before anything is measured. */
const REHEARSAL = 2_000;
const SPEAKING = 50;
/** Two sweeps of Lobby. */
const IDLE_MS = 31_000;
const SETTLE_MS = 2_000;
/** What a process opens besides its sockets. */
const OTHER_FILES = 300;

const MOST_MEMORY = 2;
const MOST_P99 = 2;

/** What one server's sockets came to. */
interface Cost {
  readonly before: Memory;
  /** The customers are known, their sockets not yet open; the same as before where nobody needs to be known. */
  readonly known: Memory;
  readonly open: Memory;
}

export async function sockets(options: SocketsOptions, stage: Stage): Promise<boolean> {
  const { sockets: count } = options;
  refuseWithoutFiles(count);
  const parts = await stage.open();
  const crowd = stage.children.fork('crowd', './load/crowd.ts');
  const load = stage.children.fork('load', './load/main.ts');
  const bare = await startServer(stage, parts, 'bare-ws');
  const bareCost = await measureBare(stage, bare, crowd, count);
  const [crowded, empty] = [await startServer(stage, parts, 'lobby'), await startServer(stage, parts, 'lobby-empty')];
  for (const { port } of [crowded, empty]) await load.ask('run', { ...FIRST, ports: [port] } satisfies LoadOrder);

  const { child: lobby, port } = crowded;
  await rehearse(crowd, port);
  const background = await watchIdle(lobby);
  const before = await lobby.ask<Memory>('memory', true);
  stage.say(`  ${count} customers ask for a token and begin a conversation`);
  await crowd.ask('admit', { port, count } satisfies CrowdOrder);
  const known = await lobby.ask<Memory>('memory', true);
  stage.say('  and open their sockets');
  await crowd.ask('open', { port, count } satisfies CrowdOrder);
  const idle = await watchIdle(lobby);
  const cost: Cost = { before, known, open: await lobby.ask<Memory>('memory', true) };
  const p99 = await measureTurns(stage, load, crowded.port, empty.port);
  const told = await crowd.ask<number>('speak', { port, count: SPEAKING } satisfies CrowdOrder);
  const state = await crowd.ask<CrowdState>('state');

  const asked = statementsOf(idle, background);
  const perSocket = (kind: keyof Memory, { open, ...from }: Cost, since: 'before' | 'known'): number =>
    (open[kind] - from[since][kind]) / count / 1_024;
  const ratio = (kind: keyof Memory): number => perSocket(kind, cost, 'before') / perSocket(kind, bareCost, 'before');
  const checks: readonly Check[] = [
    exactly('sockets open at the end', state.open, count),
    exactly(`of ${SPEAKING} that spoke, answered on their socket in order`, told, SPEAKING),
    atMost('memory held for a socket and its chat, to a bare socket', ratio('held'), MOST_MEMORY, ' ×'),
    atMost('memory used for them, to a bare socket', ratio('used'), MOST_MEMORY, ' ×'),
    exactly('queries a sweep', asked.total / asked.sweeps, 1),
    atMost('p99 of a turn with the sockets, to without', middleOf(p99.crowded) / middleOf(p99.empty), MOST_P99, ' ×'),
  ];
  const memoryRows = KINDS.map(([kind, name]) => [
    name,
    ...[perSocket(kind, bareCost, 'before'), perSocket(kind, cost, 'known'), perSocket(kind, cost, 'before')].map(
      (kb) => kb.toFixed(2),
    ),
  ]);
  stage.say(`\nKB a socket, ${count} of them, garbage collected`);
  stage.say(grid([['', 'bare ws', 'Lobby: socket', 'Lobby: socket and chat'], ...memoryRows]));
  stage.say(
    `\nIdle for ${(idle.ms / 1_000).toFixed(0)} s with them: ${share(idle)} of a core (without: ${share(background)})`,
  );
  stage.say(`Statements beside the usual background: ${JSON.stringify(asked.statements)}`);
  stage.say(`p99 of a turn, ${TURNS.clients} conversations: ${ms(p99.crowded)} with, ${ms(p99.empty)} without\n`);
  stage.say(checksTable(checks));
  await stage.close({ checks, sockets: count, bare: bareCost, lobby: cost, idle, background, p99 });
  return checks.every(({ met }) => met);
}

const KINDS: readonly (readonly [keyof Memory, string])[] = [
  ['held', 'held: objects and buffers'],
  ['used', 'used: resident without free heap'],
  ['resident', 'resident'],
];

interface Server {
  readonly child: Child;
  readonly port: number;
}

async function startServer(stage: Stage, { postgres, redis }: Parts, name: string): Promise<Server> {
  stage.say(`  starting ${name}`);
  const folder = join(stage.folder, name);
  await mkdir(folder);
  const program = name === 'bare-ws' ? './servers/bare-ws.ts' : './servers/lobby.ts';
  const child = stage.children.fork(name, program, ['--expose-gc']);
  const port = await child.ask<number>('start', {
    databaseUrl: await postgres.makeDatabase(`bench-${name}`),
    redisUrl: redis.url,
    several: false,
    folder,
  } satisfies ServerParts);
  return { child, port };
}

async function measureBare(stage: Stage, { child, port }: Server, crowd: Child, count: number): Promise<Cost> {
  stage.say(`  ${count} sockets on it`);
  await crowd.ask('openBare', { port, count: REHEARSAL } satisfies CrowdOrder);
  await leave(crowd);
  const before = await child.ask<Memory>('memory', true);
  await crowd.ask('openBare', { port, count } satisfies CrowdOrder);
  await pause(SETTLE_MS);
  const open = await child.ask<Memory>('memory', true);
  await leave(crowd);
  return { before, known: before, open };
}

async function leave(crowd: Child): Promise<void> {
  await crowd.ask('leave');
  await pause(SETTLE_MS);
}

async function rehearse(crowd: Child, port: number): Promise<void> {
  await crowd.ask('admit', { port, count: REHEARSAL } satisfies CrowdOrder);
  await crowd.ask('open', { port, count: REHEARSAL } satisfies CrowdOrder);
  await leave(crowd);
}

/** The p99 of each window, in milliseconds; the two instances take turns, so that what slows the machine slows both. */
async function measureTurns(
  stage: Stage,
  load: Child,
  crowded: number,
  empty: number,
): Promise<{ readonly crowded: readonly number[]; readonly empty: readonly number[] }> {
  const p99 = { crowded: [] as number[], empty: [] as number[] };
  for (let n = 1; n <= WINDOWS; n += 1) {
    for (const [name, port] of [
      ['crowded', crowded],
      ['empty', empty],
    ] as const) {
      const counted = await load.ask<Counted>('run', { ...TURNS, ports: [port] } satisfies LoadOrder);
      const figures = `${counted.perSecond.toFixed(0)}/s, p99 ${counted.p99.toFixed(1)} ms`;
      stage.say(`  turns ${name === 'crowded' ? 'with' : 'without'} the sockets, ${n}/${WINDOWS}: ${figures}`);
      p99[name].push(counted.p99);
    }
  }
  return p99;
}

/** What a process did while nobody asked anything of it. */
interface Idle {
  readonly ms: number;
  readonly cpuMs: number;
  readonly statements: Readonly<Record<string, number>>;
}

async function watchIdle(lobby: Child): Promise<Idle> {
  const look = async () => ({
    at: performance.now(),
    counts: await lobby.ask<Readonly<Record<string, number>>>('statementCounts'),
    usage: await lobby.ask<Usage>('usage'),
  });
  const before = await look();
  await pause(IDLE_MS);
  const after = await look();
  const sent = Object.entries(after.counts).map(([name, count]) => [name, count - (before.counts[name] ?? 0)] as const);
  return {
    ms: after.at - before.at,
    cpuMs: after.usage.cpuMs - before.usage.cpuMs,
    statements: Object.fromEntries(sent.filter(([, count]) => count > 0)),
  };
}

/** What was asked because of the sockets: statements that the service does not send without any. */
function statementsOf(idle: Idle, background: Idle) {
  const own = Object.entries(idle.statements).filter(([name]) => !(name in background.statements));
  return {
    statements: Object.fromEntries(own),
    total: own.reduce((sum, [, count]) => sum + count, 0),
    sweeps: idle.statements.web_sweep ?? 0,
  };
}

/** A process may open only so many files; Node has already asked for as many as the system allows. */
function refuseWithoutFiles(count: number): void {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard: number | 'unlimited' } } };
  const allowed = userLimits?.open_files?.hard;
  if (typeof allowed !== 'number' || allowed >= count + OTHER_FILES) return;
  throw new Error(
    `${count} sockets need ${count + OTHER_FILES} open files in one process, and this system allows ${allowed}: raise it with ulimit -n, or ask for fewer with --sockets.`,
  );
}

function middleOf(values: readonly number[]): number {
  return spread(values)?.median ?? Number.NaN;
}

function ms(values: readonly number[]): string {
  return `${middleOf(values).toFixed(1)} ms (${values.map((value) => value.toFixed(1)).join(', ')})`;
}

function share({ cpuMs, ms: elapsed }: Idle): string {
  return `${((cpuMs / elapsed) * 100).toFixed(1)} %`;
}
