/** More messages than one instance can take: what it accepts it must answer, in order and soon; the rest it must refuse, and not swell. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atMost, type Check, checksTable, exactly } from './checks.ts';
import { spread } from './figures.ts';
import type { Child } from './ipc.ts';
import type { Findings } from './load/audit.ts';
import type { FloodCrowd, Flooded, FloodOrder, Latencies } from './load/flood.ts';
import type { LoadOrder } from './load/main.ts';
import type { Memory } from './memory.ts';
import type { OverloadOptions } from './options.ts';
import { grid } from './report.ts';
import type { ServerParts } from './servers/serve.ts';
import type { Stage } from './stage.ts';
import type { Usage } from './usage.ts';
import type { Counted } from './window.ts';

/** What the capacity is measured by: the best of these counts. */
const CAPACITY = { warmSeconds: 1.5, seconds: 4, dialect: 'lobby', route: 'own' } as const;
const CAPACITY_CLIENTS = [64, 256];
/** Customers with a socket, on which the answers themselves are timed. */
const WATCHERS = 100;
const SAMPLE_EVERY_MS = 500;
/** Memory is compared between this share of the time and its end, each the middle of so many samples. */
const EARLY = 0.25;
const SAMPLES = 5;

const MOST_P99_MS = 2_000;
const MOST_GROWTH = 1.2;

interface Sample {
  readonly atMs: number;
  readonly resident: number;
}

export async function overload(options: OverloadOptions, stage: Stage): Promise<boolean> {
  const { postgres, redis } = await stage.open();
  const { children } = stage;
  stage.say('  starting lobby');
  const lobby = children.fork('lobby', './servers/lobby.ts');
  const folder = join(stage.folder, 'lobby');
  await mkdir(folder);
  const port = await lobby.ask<number>('start', {
    databaseUrl: await postgres.makeDatabase('bench-overload'),
    redisUrl: redis.url,
    several: false,
    folder,
  } satisfies ServerParts);
  const capacity = await measureCapacity(stage, port);
  const perSecond = Math.round(capacity * options.times);

  const flood = children.fork('flood', './load/flood.ts');
  stage.say(`  ${options.customers} customers begin their conversations`);
  await flood.ask('admit', {
    port,
    customers: options.customers,
    watchers: Math.min(WATCHERS, options.customers),
  } satisfies FloodCrowd);
  stage.say(`  ${perSecond} messages/s for ${options.seconds} s: ${options.times} × ${capacity.toFixed(0)}/s`);
  const samples: Sample[] = [];
  const sampling = sample(lobby, samples);
  if (options.profile !== undefined) await lobby.ask('profile');
  const begun = performance.now();
  const before = await lobby.ask<Usage>('usage');
  const flooded = await flood.ask<Flooded>('run', { perSecond, seconds: options.seconds } satisfies FloodOrder);
  const after = await lobby.ask<Usage>('usage');
  const elapsed = performance.now() - begun;
  sampling.stop();
  if (options.profile !== undefined) await lobby.ask('profiled', join(options.profile, 'overload.cpuprofile'));
  stage.say('  reading every conversation back');
  const findings = await flood.ask<Findings>('audit');

  const span = samples.filter(({ atMs }) => atMs <= options.seconds * 1_000);
  const early = residentAt(span, options.seconds * 1_000 * EARLY);
  const late = residentAt(span, options.seconds * 1_000);
  const checks: readonly Check[] = [
    exactly('accepted and not in the record', findings.lost, 0),
    exactly('accepted and recorded twice', findings.doubled, 0),
    exactly('out of order in the record', findings.outOfOrder, 0),
    exactly('recorded and not answered', findings.unanswered, 0),
    exactly('refused and recorded all the same', findings.recordedThoughRefused, 0),
    exactly('out of order on a socket', flooded.framesOutOfOrder, 0),
    exactly('accepted, and never answered on the socket', flooded.framesMissing, 0),
    exactly('neither accepted nor refused with 429 or 503', sumOf(flooded.otherwise) + flooded.unsent, 0),
    exactly('refused without Retry-After', flooded.withoutRetryAfter, 0),
    atMost('p99 of an accepted message', flooded.accepted.p99, MOST_P99_MS, ' ms'),
    atMost('p99 of an answer on the socket', flooded.answered.p99, MOST_P99_MS, ' ms'),
    atMost(`memory at ${options.seconds} s, to that at ${options.seconds * EARLY} s`, late / early, MOST_GROWTH, ' ×'),
  ];
  stage.say(`\n${times(flooded)}`);
  stage.say(
    `\nWritten ${flooded.written}: accepted ${(flooded.accepted.count / options.seconds).toFixed(0)}/s, refused ${JSON.stringify(flooded.refusals)}, otherwise ${JSON.stringify(flooded.otherwise)}`,
  );
  stage.say(
    `Waiting for a customer whose last message was under way: ${flooded.mostWaiting} at worst, ${flooded.unsent} never sent`,
  );
  stage.say(
    `Lobby's process: ${(((after.cpuMs - before.cpuMs) / elapsed) * 100).toFixed(0)} % of a core, ${mb(early)} MB at ${options.seconds * EARLY} s, ${mb(late)} MB at ${options.seconds} s\n`,
  );
  stage.say(checksTable(checks));
  await stage.close({ checks, capacity, perSecond, flooded, findings, samples });
  return checks.every(({ met }) => met);
}

async function measureCapacity(stage: Stage, port: number): Promise<number> {
  const load = stage.children.fork('load', './load/main.ts');
  let best = 0;
  for (const clients of CAPACITY_CLIENTS) {
    const { perSecond } = await load.ask<Counted>('run', { ...CAPACITY, clients, ports: [port] } satisfies LoadOrder);
    stage.say(`  ${clients} clients: ${perSecond.toFixed(0)}/s`);
    best = Math.max(best, perSecond);
  }
  return best;
}

function sample(lobby: Child, samples: Sample[]): { stop(): void } {
  const begun = performance.now();
  const timer = setInterval(() => {
    void lobby
      .ask<Memory>('memory', false)
      .then(({ resident }) => samples.push({ atMs: performance.now() - begun, resident }));
  }, SAMPLE_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

/** The middle of the samples nearest to a moment. */
function residentAt(samples: readonly Sample[], atMs: number): number {
  const nearest = samples.toSorted((a, b) => Math.abs(a.atMs - atMs) - Math.abs(b.atMs - atMs)).slice(0, SAMPLES);
  return spread(nearest.map(({ resident }) => resident))?.median ?? Number.NaN;
}

function times({ accepted, answered, refused }: Flooded): string {
  const row = (name: string, { count, p50, p99, most }: Latencies): readonly string[] => [
    name,
    String(count),
    ...[p50, p99, most].map((value) => value.toFixed(0)),
  ];
  return grid([
    ['ms since a customer wanted to write', 'messages', 'p50', 'p99', 'most'],
    row('accepted (200)', accepted),
    row('answered on the socket', answered),
    row('refused', refused),
  ]);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function mb(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
