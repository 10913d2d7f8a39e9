/** `npm run bench`: Lobby's turn beside its baselines, measured in one run on this machine. */

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../scripts/build.mjs';
import { root } from '../../scripts/tools.mjs';
import { Children } from './children.ts';
import { GOALS, judge } from './goals.ts';
import { coreCount, doubts, isInMemory, lookAround } from './machine.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { hotSpots } from './profile.ts';
import { goalsTable, ratesOf, tables } from './report.ts';
import { type Figures, Run } from './run.ts';

const children = new Children();

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  await build(root, console.log);
  const folder = await makeFolder();
  children.atEnd(() => rm(folder, { recursive: true, force: true }));
  if (options.profile !== undefined) await mkdir(options.profile, { recursive: true });
  try {
    return await bench(options, folder);
  } finally {
    await children.end();
  }
}

async function bench(options: Options, folder: string): Promise<number> {
  const startedAt = new Date();
  const before = await lookAround();
  const warnings = [
    ...doubts(before),
    ...((await isInMemory(folder)) ? [`${folder} is in memory: nothing is put on a disk`] : []),
    ...(options.profile === undefined ? [] : ['servers are being profiled']),
  ];
  for (const warning of warnings) console.log(`WARNING: ${warning}; the figures are marked.`);

  const run = new Run(options, children, folder, console.log);
  const parts = await run.startParts();
  const machine = {
    cores: coreCount(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    postgres: `${parts.postgres.version} (${parts.postgres.durability})`,
    redis: parts.redis.version,
  };
  const figures = await run.measure(parts);
  const after = await lookAround();
  const foreign = Math.max(0, ...figures.map((each) => each.foreignCores ?? 0));
  if (foreign > 0.25) warnings.push(`other processes used up to ${foreign.toFixed(1)} cores during a window`);

  const verdicts = GOALS.map((goal) => judge(goal, ratesOf(figures)));
  const mark = warnings.length === 0 ? 'quiet machine' : `BUSY: ${warnings.join('; ')}`;
  console.log(`\n${tables(figures)}\n`);
  console.log(goalsTable(verdicts));
  console.log(
    `\n${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · ')}`,
  );
  console.log(
    `load average ${before.load.toFixed(2)} before, ${after.load.toFixed(2)} after · fdatasync ${syncRate(figures)}`,
  );
  console.log(`${((Date.now() - startedAt.getTime()) / 1_000).toFixed(0)} s · ${mark}`);
  console.log(
    'Medians of the repeats; ratios are taken within a repeat. CPU is of the measured process; PG CPU and Redis CPU are beside it.',
  );
  if (options.profile !== undefined) console.log(await hotSpots(options.profile));
  if (options.json !== undefined) {
    const all = { startedAt, machine, load: { before, after }, busy: warnings, goals: verdicts, figures };
    await writeFile(options.json, `${JSON.stringify(all, null, 2)}\n`);
  }
  return verdicts.some(({ verdict }) => verdict === 'not met') ? 1 : 0;
}

function syncRate(figures: readonly Figures[]): string {
  const rates = ratesOf(figures)('fdatasync', 1);
  return rates.length === 0 ? 'not measured' : `${rates.map((rate) => rate.toFixed(0)).join(', ')}/s`;
}

/** Under root, PostgreSQL runs as another user, who must be able to enter. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-bench-'));
  await chmod(folder, 0o755);
  return folder;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    void children.end().finally(() => process.exit(130));
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    // What was under way when everything was ended has failed, of course.
    if (interrupted) return;
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
