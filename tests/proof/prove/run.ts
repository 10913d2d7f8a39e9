/** One run of the proof: set the stage, let things go wrong, let them calm down, and audit. */

import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { FAULTS, type Fault } from '../proxy.ts';
import { audit, type Violation } from './audit.ts';
import { castGate, castService, type Stage } from './casting.ts';
import { makeFolder } from './folder.ts';
import { Marksman } from './marksman.ts';
import { type Harm, Nemesis } from './nemesis.ts';
import type { Options } from './options.ts';
import type { Point } from './points.ts';
import { migrateRecord, type ProvenPostgres, startPostgres } from './postgres.ts';
import { preparePrograms } from './program.ts';
import { Random } from './random.ts';
import { endScene, evidenceOf, live, type Scene } from './scene.ts';

/** After the last fault everything must have calmed down within this time: a lease of the outbox may last 30 s, and an answer is taken over after 45 s. */
const CALM_WITHIN_MS = 62_000;
const STARTS_WITHIN_MS = 60_000;

export interface Outcome {
  readonly seed: number;
  readonly seconds: number;
  readonly cores: number;
  readonly durability: string;
  readonly turns: Readonly<Record<Scene['name'], number>>;
  readonly harm: Harm;
  readonly points: Readonly<Record<Point, number>>;
  readonly faults: Readonly<Record<Fault, number>>;
  /** Starts that failed because PostgreSQL was away. */
  readonly gaveUp: number;
  /** Tries beyond the first one, by all customers together. */
  readonly retries: number;
  /** Deliveries to an outside channel that came again after an unknown outcome. */
  readonly resent: number;
  readonly calmAfterSeconds: number;
  readonly violations: readonly Violation[];
}

export class Run {
  readonly #options: Options;
  readonly #say: (line: string) => void;
  readonly #random: Random;
  readonly #closing = new AbortController();
  readonly #over = new AbortController();
  readonly #endings: (() => Promise<unknown>)[] = [];
  #ended: Promise<void> | undefined;
  #folder = '';

  constructor(options: Options, say: (line: string) => void) {
    this.#options = options;
    this.#say = say;
    this.#random = new Random(options.seed);
    // Every customer's every pause listens.
    setMaxListeners(0, this.#closing.signal, this.#over.signal);
  }

  /** Where the instances' logs are. */
  get folder(): string {
    return this.#folder;
  }

  async play(): Promise<Outcome> {
    this.#folder = await makeFolder();
    const programs = await preparePrograms(join(this.#folder, 'program'), this.#say);
    const postgres = await startPostgres(join(this.#folder, 'data'));
    this.#endings.push(() => postgres.stop());
    const redis = this.#options.redis === 'off' ? null : await startRedis().catch(withoutRedis);
    if (redis) this.#endings.push(() => redis.close());

    const marksman = new Marksman(this.#random.fork('marksman'));
    const stage: Stage = {
      folder: this.#folder,
      programs,
      random: this.#random,
      postgresPort: postgres.port,
      redisPort: redis && Number(new URL(redis.url).port),
      closing: this.#closing.signal,
      over: this.#over.signal,
    };
    const scenes = await this.#cast(stage, postgres, marksman);
    await untilUp(scenes);
    const { harm, calmAfterMs } = await this.#act(scenes, postgres, redis, marksman);
    for (const scene of scenes) await endScene(scene);
    return await this.#judge(scenes, { durability: postgres.durability, harm, calmAfterMs, points: marksman.hits });
  }

  /** Ends all that was started. Whoever asks again waits for the same end. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#closing.abort();
    this.#over.abort();
    for (const ending of this.#endings.reverse()) await ending().catch(() => undefined);
  }

  /** Removes what the run has written. */
  async cleanUp(): Promise<void> {
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true });
  }

  async #cast(stage: Stage, postgres: ProvenPostgres, marksman: Marksman): Promise<readonly Scene[]> {
    const { only } = this.#options;
    const scenes: Scene[] = [];
    const keep = (scene: Scene): void => {
      scenes.push(scene);
      this.#endings.push(() => endScene(scene));
    };
    if (only !== 'gate') keep(await castService(stage, await postgres.makeDatabase('prove_service')));
    if (only !== 'full') {
      const url = await postgres.makeDatabase('prove_gate');
      await migrateRecord(url);
      keep(await castGate(stage, url, marksman));
    }
    return scenes;
  }

  /** Things go wrong; then nothing does any more, and everything begun has to come to its end. */
  async #act(
    scenes: readonly Scene[],
    postgres: ProvenPostgres,
    redis: TestRedis | null,
    marksman: Marksman,
  ): Promise<{ harm: Harm; calmAfterMs: number }> {
    const living = Promise.all(scenes.map(live));
    const service = scenes.find(({ name }) => name === 'service')?.instances ?? [];
    const proxies = scenes.flatMap((scene) => scene.proxies);
    const nemesis = new Nemesis({ service, proxies, postgres, redis }, this.#random.fork('nemesis'));
    const forMs = this.#options.seconds * 1_000;
    const raging = new AbortController();
    this.#over.signal.addEventListener('abort', () => raging.abort());
    const timer = setTimeout(() => raging.abort(), forMs);
    this.#say(`Things go wrong for ${this.#options.seconds} s …`);
    await nemesis.rage(this.#options.redis, forMs, raging.signal);
    clearTimeout(timer);
    marksman.ceaseFire();
    this.#closing.abort();
    const calmSince = Date.now();
    this.#say('Nothing goes wrong any more; what was begun comes to its end …');
    await this.#untilCalm(scenes, calmSince + CALM_WITHIN_MS);
    this.#over.abort();
    await living;
    return { harm: nemesis.harm, calmAfterMs: Date.now() - calmSince };
  }

  async #untilCalm(scenes: readonly Scene[], deadline: number): Promise<void> {
    const databases = await Promise.all(scenes.map(({ databaseUrl }) => openAudit(databaseUrl)));
    try {
      while (Date.now() < deadline && !this.#over.signal.aborted) {
        const calm = await Promise.all(scenes.map((scene, index) => isCalm(scene, databases[index])));
        if (calm.every(Boolean)) return;
        await pause(300);
      }
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
  }

  async #judge(
    scenes: readonly Scene[],
    known: { durability: string; harm: Harm; calmAfterMs: number; points: Outcome['points'] },
  ): Promise<Outcome> {
    const turns = { service: 0, gate: 0 };
    const violations: Violation[] = [];
    let resent = 0;
    for (const scene of scenes) {
      const database = await openAudit(scene.databaseUrl);
      const judged = await audit(database, evidenceOf(scene), { countingBot: scene.name === 'gate' });
      await database.close();
      turns[scene.name] = judged.turns;
      resent += judged.resent;
      violations.push(...judged.violations.map((each) => ({ ...each, evidence: `${scene.name}: ${each.evidence}` })));
    }
    const instances = scenes.flatMap((scene) => scene.instances);
    const sent = scenes.flatMap((scene) => evidenceOf(scene).conversations.flatMap((each) => each.sent));
    return {
      seed: this.#options.seed,
      seconds: this.#options.seconds,
      cores: availableParallelism(),
      durability: known.durability,
      turns,
      harm: known.harm,
      points: known.points,
      faults: faultsOn(scenes),
      gaveUp: instances.reduce((sum, each) => sum + each.gaveUp, 0),
      retries: sent.reduce((sum, { attempts }) => sum + Math.max(0, attempts.count - 1), 0),
      resent,
      calmAfterSeconds: known.calmAfterMs / 1_000,
      violations,
    };
  }
}

function withoutRedis(cause: unknown): never {
  throw new Error('redis-server does not start: install Redis, or prove without it (--redis off).', { cause });
}

function openAudit(connectionString: string): Promise<PostgresDatabase> {
  return openDatabase({ connectionString, applicationName: 'lobby-audit', max: 1, statementTimeoutMs: 60_000 });
}

async function untilUp(scenes: readonly Scene[]): Promise<void> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  const instances = scenes.flatMap((scene) => scene.instances);
  for (let down = instances; down.length > 0; down = instances.filter(({ up }) => !up)) {
    if (Date.now() > deadline)
      throw new Error(`${down[0]?.name} did not come up within a minute; see ${down[0]?.logFile}.`);
    await pause(50);
  }
}

/** Every message taken, every answer sent and shown, every timer fired. */
async function isCalm(scene: Scene, database: PostgresDatabase | undefined): Promise<boolean> {
  const sent = evidenceOf(scene).conversations.flatMap((conversation) => conversation.sent);
  if (!database || sent.some(({ acknowledged }) => !acknowledged)) return false;
  const [open] = await database.query<{ count: number }>(
    `select (select count(*) from outbox where state in ('ready', 'leased', 'held'))
          + (select count(*) from timer where state = 'waiting' and (kind = 'answer' or due < now())) as count`,
  );
  if (open?.count !== 0) return false;
  const watched = scene.web.flatMap((customer) => [...customer.watermarks]);
  const behind = await database.query(
    `select from unnest($1::text[], $2::bigint[]) w (id, watermark)
      where w.watermark < (select coalesce(max(a.seq), 0) from activity a where a.conversation_id = w.id and a.direction <> 'event')`,
    [watched.map(({ conversationId }) => conversationId), watched.map(({ watermark }) => watermark)],
  );
  return behind.length === 0;
}

function faultsOn(scenes: readonly Scene[]): Record<Fault, number> {
  const proxies = scenes.flatMap((scene) => scene.proxies);
  const count = (fault: Fault): number => proxies.reduce((sum, { struck }) => sum + struck[fault], 0);
  return Object.fromEntries(FAULTS.map((fault) => [fault, count(fault)])) as Record<Fault, number>;
}
