/** One run of the benchmark: its parts started, every variant measured in turns, the figures of every window kept. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { InsideOrder } from './inside/main.ts';
import type { Child } from './ipc.ts';
import type { LoadOrder } from './load/main.ts';
import { busyCpuMs, clockTicks, familyCpuMs } from './machine.ts';
import type { CompareOptions } from './options.ts';
import type { ServerParts } from './servers/serve.ts';
import type { Parts, Stage } from './stage.ts';
import type { Usage } from './usage.ts';
import type { Variant } from './variants.ts';
import type { Counted } from './window.ts';

/** What one window came to. What a turn costs is null where it does not apply or cannot be known. */
export interface Figures {
  readonly variant: string;
  readonly clients: number;
  readonly repeat: number;
  readonly turns: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMsPerTurn: number;
  readonly postgresCpuMsPerTurn: number | null;
  readonly redisCpuMsPerTurn: number | null;
  readonly statementsPerTurn: number | null;
  readonly redisCommandsPerTurn: number | null;
  /** Transactions that wrote, background work included. */
  readonly commitsPerTurn: number | null;
  /** Cores used by processes that are not the benchmark's. */
  readonly foreignCores: number | null;
}

const WARM_SECONDS = 0.4;
/** The first window of a process pays for compiling it: it is thrown away. */
const FIRST_WINDOW = { clients: 16, warmSeconds: 0, seconds: 1 } as const;
/** A window inside one process: steadier than one over HTTP, so shorter. */
const INSIDE_SHARE = 0.5;

/** Instances look every ten seconds whether they are alone. */
const KNOW_EACH_OTHER_MS = 11_000;

/** The processes that are measured, and the one that puts load on them: for work inside one process they are the same. */
interface Subject {
  readonly variant: Variant;
  readonly measured: readonly Child[];
  readonly driver: Child;
  readonly ports: readonly [number, ...number[]];
  /** When its instances know of each other. */
  readonly readyAt: number;
}

export class Run {
  readonly #options: CompareOptions;
  readonly #stage: Stage;
  #ticks = 100;

  constructor(options: CompareOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
  }

  /** Measures everything, round after round: neighbours in time are compared with each other. */
  async measure(parts: Parts): Promise<readonly Figures[]> {
    this.#ticks = await clockTicks();
    const subjects = await this.#startSubjects(parts);
    const all: Figures[] = [];
    for (let repeat = 1; repeat <= this.#options.repeats; repeat += 1) {
      await parts.postgres.vacuum();
      for (const clients of this.#options.clients) {
        for (const subject of subjects.filter(({ variant }) => isDue(variant, clients, this.#options.clients))) {
          await pause(Math.max(0, subject.readyAt - performance.now()));
          const figures = await this.#window(subject, Math.min(clients, mostClients(subject.variant)), repeat, parts);
          all.push(figures);
          this.#stage.say(
            `  ${repeat}/${this.#options.repeats}  ${String(figures.clients).padStart(3)} × ${subject.variant.name}: ${figures.perSecond.toFixed(0)}/s`,
          );
        }
      }
    }
    return all;
  }

  /** One process for each server and instance of it, however many variants speak to it. */
  async #startSubjects(parts: Parts): Promise<readonly Subject[]> {
    const load = this.#stage.children.fork('load', './load/main.ts');
    const started = new Map<string, Subject>();
    const subjects: Subject[] = [];
    for (const variant of this.#options.variants) {
      const name = nameOfSubject(variant);
      const known = started.get(name);
      const subject = known ? { ...known, variant } : await this.#startSubject(variant, name, load, parts);
      started.set(name, subject);
      subjects.push(subject);
      await this.#drive(subject, { ...FIRST_WINDOW, clients: Math.min(FIRST_WINDOW.clients, mostClients(variant)) });
    }
    return subjects;
  }

  async #startSubject(variant: Variant, name: string, load: Child, parts: Parts): Promise<Subject> {
    this.#stage.say(`  starting ${variant.over === 'http' ? name : 'the work inside one process'}`);
    const folder = join(this.#stage.folder, name);
    await mkdir(folder);
    const instances = instancesOf(variant);
    const order: ServerParts = {
      databaseUrl: await parts.postgres.makeDatabase(`bench-${name}`),
      redisUrl: parts.redis.url,
      several: instances > 1,
      folder,
    };
    const program = variant.over === 'http' ? `./servers/${variant.server}.ts` : './inside/main.ts';
    const measured: [Child, ...Child[]] = [this.#stage.children.fork(name, program)];
    // The first prepares the database; the others find it prepared.
    const ports: [number, ...number[]] = [await measured[0].ask<number>('start', order)];
    while (measured.length < instances) {
      const child = this.#stage.children.fork(`${name}, instance ${measured.length + 1}`, program);
      measured.push(child);
      ports.push(await child.ask<number>('start', order));
    }
    const readyAt = performance.now() + (instances > 1 ? KNOW_EACH_OTHER_MS : 0);
    return { variant, measured, driver: variant.over === 'http' ? load : measured[0], ports, readyAt };
  }

  #drive({ variant, driver, ports }: Subject, size: InsideOrder | Omit<InsideOrder, 'work'>): Promise<Counted> {
    switch (variant.over) {
      case 'http':
        return driver.ask('run', {
          ...size,
          dialect: variant.dialect,
          ports,
          route: variant.route ?? 'own',
        } satisfies LoadOrder);
      case 'inside':
        return driver.ask('run', { ...size, work: variant.work } satisfies InsideOrder);
    }
  }

  async #window(subject: Subject, clients: number, repeat: number, parts: Parts): Promise<Figures> {
    const { variant, measured } = subject;
    const seconds = this.#options.seconds * (variant.over === 'inside' ? INSIDE_SHARE : 1);
    const profile = this.#options.profile !== undefined && variant.over === 'http';
    const marks: Promise<Mark>[] = [];
    const mark = (): void => {
      marks.push(this.#mark(subject, parts));
    };
    subject.driver.once('measuring', mark);
    subject.driver.once('measured', mark);
    if (profile) await measured[0]?.ask('profile');
    const counted = await this.#drive(subject, { clients, seconds, warmSeconds: WARM_SECONDS });
    if (profile)
      await measured[0]?.ask('profiled', join(this.#options.profile ?? '', `${variant.name}-${clients}.cpuprofile`));
    const [before, after] = await Promise.all(marks);
    if (!before || !after) throw new Error(`${variant.name} was not measured.`);
    return toFigures(variant, clients, repeat, counted, before, after);
  }

  async #mark({ measured, driver }: Subject, { postgres, redis }: Parts): Promise<Mark> {
    const busyMs = busyCpuMs();
    const at = performance.now();
    const own = process.cpuUsage();
    const [usages, driving, postgresMs, redisMs, commits] = await Promise.all([
      Promise.all(measured.map((child) => child.ask<Usage>('usage'))),
      driver.ask<Usage>('usage'),
      familyCpuMs(postgres.pid, this.#ticks),
      familyCpuMs(redis.pid, this.#ticks),
      postgres.commits(),
    ]);
    const usage = usages.reduce(addUsage);
    const driverMs = measured.includes(driver) ? 0 : driving.cpuMs;
    const ours = usage.cpuMs + driverMs + (postgresMs ?? 0) + (redisMs ?? 0) + (own.user + own.system) / 1_000;
    return { at, usage, postgresMs, redisMs, commits, foreignMs: postgresMs === null ? null : busyMs - ours };
  }
}

/** What had been used at one moment. */
interface Mark {
  readonly at: number;
  readonly usage: Usage;
  readonly postgresMs: number | null;
  readonly redisMs: number | null;
  readonly commits: number;
  readonly foreignMs: number | null;
}

function addUsage(one: Usage, other: Usage): Usage {
  return {
    cpuMs: one.cpuMs + other.cpuMs,
    statements: one.statements + other.statements,
    redisCommands: one.redisCommands + other.redisCommands,
  };
}

function instancesOf(variant: Variant): number {
  return variant.over === 'http' ? (variant.instances ?? 1) : 1;
}

/** Variants of the same name are measured on the same processes. */
function nameOfSubject(variant: Variant): string {
  if (variant.over === 'inside') return 'inside';
  const instances = instancesOf(variant);
  return instances === 1 ? variant.server : `${variant.server}-${instances}`;
}

function mostClients(variant: Variant): number {
  return variant.over === 'inside' ? (variant.mostClients ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

/** What more clients would not change is measured once in a round; what needs several is left out with fewer. */
function isDue(variant: Variant, clients: number, all: readonly number[]): boolean {
  if (variant.over === 'http') return clients >= (variant.leastClients ?? 1);
  return mostClients(variant) === Number.POSITIVE_INFINITY || clients === all[0];
}

function toFigures(
  variant: Variant,
  clients: number,
  repeat: number,
  counted: Counted,
  before: Mark,
  after: Mark,
): Figures {
  const usesPostgres = variant.uses.includes('postgres');
  const usesRedis = variant.uses.includes('redis');
  const perTurn = (from: number | null, to: number | null): number | null =>
    from === null || to === null || counted.turns === 0 ? null : (to - from) / counted.turns;
  return {
    variant: variant.name,
    clients,
    repeat,
    turns: counted.turns,
    perSecond: counted.perSecond,
    p50Ms: counted.p50,
    p99Ms: counted.p99,
    cpuMsPerTurn: perTurn(before.usage.cpuMs, after.usage.cpuMs) ?? 0,
    postgresCpuMsPerTurn: usesPostgres ? perTurn(before.postgresMs, after.postgresMs) : null,
    redisCpuMsPerTurn: usesRedis ? perTurn(before.redisMs, after.redisMs) : null,
    statementsPerTurn: usesPostgres ? perTurn(before.usage.statements, after.usage.statements) : null,
    redisCommandsPerTurn: usesRedis ? perTurn(before.usage.redisCommands, after.usage.redisCommands) : null,
    commitsPerTurn: usesPostgres ? perTurn(before.commits, after.commits) : null,
    foreignCores:
      before.foreignMs === null || after.foreignMs === null
        ? null
        : Math.max(0, (after.foreignMs - before.foreignMs) / (after.at - before.at)),
  };
}
