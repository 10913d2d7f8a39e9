/** What every kind of run stands on: a fresh folder, the processes it starts, PostgreSQL and Redis, a look at the machine before and after. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Children } from './children.ts';
import { type Business, coreCount, doubts, isInMemory, lookAround } from './machine.ts';
import type { CommonOptions } from './options.ts';
import { type PostgresServer, startPostgres } from './parts/postgres.ts';
import { type RedisServer, startRedis } from './parts/redis.ts';
import { hotSpots } from './profile.ts';

/** The parts of a run that are up. */
export interface Parts {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

/** One run's surroundings. */
export class Stage {
  readonly children: Children;
  readonly folder: string;
  readonly options: CommonOptions;
  readonly #startedAt = new Date();
  readonly #warnings: string[] = [];
  #before: Business = { load: 0, share: 0 };
  #machine: Readonly<Record<string, string | number>> = {};

  constructor(children: Children, folder: string, options: CommonOptions) {
    this.children = children;
    this.folder = folder;
    this.options = options;
  }

  say(line: string): void {
    console.log(line);
  }

  /** Figures of this run are doubtful, and why. */
  doubt(why: string): void {
    this.#warnings.push(why);
    this.say(`WARNING: ${why}; the figures are marked.`);
  }

  /** Looks at the machine, then starts PostgreSQL and Redis. */
  async open(): Promise<Parts> {
    this.#before = await lookAround();
    for (const why of doubts(this.#before)) this.doubt(why);
    if (await isInMemory(this.folder)) this.doubt(`${this.folder} is in memory: nothing is put on a disk`);
    if (this.options.profile !== undefined) this.doubt('servers are being profiled');
    const [postgres, redis] = await Promise.all([
      startPostgres(this.children, join(this.folder, 'data')),
      startRedis(this.children, this.folder),
    ]);
    this.#machine = {
      cores: coreCount(),
      platform: `${process.platform} ${process.arch}`,
      node: process.versions.node,
      postgres: `${postgres.version} (${postgres.durability})`,
      redis: redis.version,
    };
    return { postgres, redis };
  }

  /** The last lines: the machine, how busy it was, how long it took. Writes the JSON file when one is wanted. */
  async close(figures: Readonly<Record<string, unknown>>, more = ''): Promise<void> {
    const after = await lookAround();
    const machine = Object.entries(this.#machine).map(([name, value]) => `${name} ${value}`);
    const took = (Date.now() - this.#startedAt.getTime()) / 1_000;
    const mark = this.#warnings.length === 0 ? 'quiet machine' : `BUSY: ${this.#warnings.join('; ')}`;
    this.say(`\n${machine.join(' · ')}`);
    this.say(`load average ${this.#before.load.toFixed(2)} before, ${after.load.toFixed(2)} after${more}`);
    this.say(`${took.toFixed(0)} s · ${mark}`);
    const { profile, json } = this.options;
    if (profile !== undefined) this.say(await hotSpots(profile));
    if (json === undefined) return;
    const all = {
      startedAt: this.#startedAt,
      machine: this.#machine,
      load: { before: this.#before, after },
      busy: this.#warnings,
      ...figures,
    };
    await writeFile(json, `${JSON.stringify(all, null, 2)}\n`);
  }
}
