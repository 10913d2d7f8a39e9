/** Everything that goes wrong in a run, at moments drawn from the seed: processes killed, networks broken, Redis frozen and flushed. */

import { setTimeout as pause } from 'node:timers/promises';
import type { TestRedis } from '../../support/redis.ts';
import { FAULTS, type FaultProxy } from '../proxy.ts';
import type { Instance } from './instance.ts';
import type { RedisPlan } from './options.ts';
import type { ProvenPostgres } from './postgres.ts';
import type { Random } from './random.ts';

/** How far apart things go wrong, on average. */
const MEAN_MS = { service: 8_000, postgres: 9_000, redis: 5_000 };
/** Of faults on one line. */
const LINE_MEAN_MS = 9_000;
const LONGEST_FAULT_MS = { latency: 3_000, stall: 2_500, drip: 1_500, reset: 1, cut: 1, 'half-open': 6_000 };

/** What there is to harm. */
export interface Victims {
  readonly service: readonly Instance[];
  readonly proxies: readonly FaultProxy[];
  readonly postgres: ProvenPostgres;
  readonly redis: TestRedis | null;
}

/** What was done, beside what proxies and the marksman count themselves. */
export interface Harm {
  service: number;
  postgres: number;
  redis: number;
  redisFrozen: number;
  redisFlushed: number;
}

export class Nemesis {
  readonly harm: Harm = { service: 0, postgres: 0, redis: 0, redisFrozen: 0, redisFlushed: 0 };
  readonly #victims: Victims;
  readonly #random: Random;

  constructor(victims: Victims, random: Random) {
    this.#victims = victims;
    this.#random = random;
  }

  /** Harms until aborted; then everything is whole again, but for a Redis that was to stay away. */
  async rage(plan: RedisPlan, forMs: number, until: AbortSignal): Promise<void> {
    const { service, proxies, postgres } = this.#victims;
    const again = (name: string, meanMs: number, act: (random: Random) => unknown): Promise<void> =>
      this.#repeat(meanMs, this.#random.fork(name), until, act);
    await Promise.all([
      again('network', LINE_MEAN_MS / proxies.length, (random) => this.#breakLine(random)),
      again('postgres', MEAN_MS.postgres, async () => {
        if (await postgres.kill()) this.harm.postgres += 1;
        await postgres.up();
      }),
      service.length > 0 && again('service', MEAN_MS.service, (random) => this.#killService(random)),
      this.#harmRedis(plan, forMs, until),
    ]);
    for (const proxy of proxies) proxy.heal();
    await postgres.up();
  }

  async #repeat(meanMs: number, random: Random, until: AbortSignal, act: (random: Random) => unknown): Promise<void> {
    while (!until.aborted) {
      await rest(random.until(meanMs), until);
      if (!until.aborted) await act(random);
    }
  }

  #breakLine(random: Random): void {
    const fault = random.pick(FAULTS);
    random.pick(this.#victims.proxies).strike(fault, random.between(100, LONGEST_FAULT_MS[fault]));
  }

  /** Mostly one of several, so that somebody is there to take over; now and then the last one, or all at once. */
  #killService(random: Random): void {
    const { service } = this.#victims;
    const up = service.filter((instance) => instance.up);
    if (random.chance(0.08)) this.#kill(service);
    else if (up.length > 1 || random.chance(0.25)) this.#kill([random.pick(up.length > 0 ? up : service)]);
  }

  #kill(instances: readonly Instance[]): void {
    this.harm.service += instances.filter((instance) => instance.kill()).length;
  }

  async #harmRedis(plan: RedisPlan, forMs: number, until: AbortSignal): Promise<void> {
    const { redis } = this.#victims;
    if (!redis) return;
    switch (plan) {
      case 'mixed':
        await this.#repeat(MEAN_MS.redis, this.#random.fork('redis'), until, (random) => this.#upset(redis, random));
        return;
      case 'flush':
        for (let time = 0; time < 3 && !until.aborted; time += 1) {
          await rest(forMs / 4, until);
          await this.#flush(redis);
        }
        return;
      case 'freeze':
        await rest(forMs / 3, until);
        await this.#freeze(redis, forMs / 3, until);
        return;
      case 'stop':
        await rest(forMs / 2, until);
        await redis.kill();
        this.harm.redis += 1;
        return;
      case 'off':
    }
  }

  async #upset(redis: TestRedis, random: Random): Promise<void> {
    if (random.chance(0.2)) await this.#flush(redis);
    else if (random.chance(0.3)) await this.#freeze(redis, random.between(300, 4_000));
    else {
      await redis.kill();
      this.harm.redis += 1;
      await pause(random.between(0, 2_000));
      await redis.restart();
    }
  }

  async #flush(redis: TestRedis): Promise<void> {
    await redis.flush();
    this.harm.redisFlushed += 1;
  }

  async #freeze(redis: TestRedis, ms: number, until?: AbortSignal): Promise<void> {
    redis.freeze();
    this.harm.redisFrozen += 1;
    await rest(ms, until);
    redis.thaw();
  }
}

async function rest(ms: number, until?: AbortSignal): Promise<void> {
  await pause(ms, undefined, until && { signal: until }).catch(() => undefined);
}
