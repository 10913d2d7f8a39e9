/** Who is on stage in each of the two scenes, and what they say. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FaultProxy } from '../proxy.ts';
import { AzureCustomer, azureKey } from './azure-customer.ts';
import type { CustomerParts } from './customer.ts';
import { Instance, type Kind } from './instance.ts';
import { gateKind, type Surroundings, serviceKind } from './kinds.ts';
import type { Marksman } from './marksman.ts';
import type { Programs } from './program.ts';
import type { Random } from './random.ts';
import type { Scene } from './scene.ts';
import { openSink } from './sink.ts';
import { WebCustomer } from './web-customer.ts';

/** What both scenes are built with. */
export interface Stage {
  readonly folder: string;
  readonly programs: Programs;
  readonly random: Random;
  readonly postgresPort: number;
  /** Null when this run has no Redis. */
  readonly redisPort: number | null;
  readonly closing: AbortSignal;
  readonly over: AbortSignal;
}

const SERVICE_INSTANCES = 3;
const GATE_INSTANCES = 2;

const QUESTIONS = [
  '三年定期存款利率是多少？',
  '跨行转账多久到账？',
  '我的银行卡丢了怎么办',
  '存款有保险吗？',
  '人工',
  'What are your opening hours?',
  'How do I reset my password?',
  'I want to talk to a person',
  '谢谢',
  'asdf qwer',
];
/** What the gate's bot takes its time over is said by its first words. */
const GATE_PHRASES = [
  ...Array.from({ length: 22 }, () => 'hello'),
  ...Array.from({ length: 6 }, () => 'slow'),
  'very slow',
  'very slow',
];

/** The whole service, three times: the bank's assistant, sockets, polling and an outside channel. */
export async function castService(stage: Stage, databaseUrl: string): Promise<Scene> {
  const dataKey = randomBytes(32).toString('base64');
  const kind = (around: Surroundings): Kind =>
    serviceKind(stage.programs.service, around, { dataDir: join(stage.folder, 'service-data'), dataKey });
  const set = await build(stage, 'service', databaseUrl, SERVICE_INSTANCES, kind, {});
  const parts = customers(stage, 'service', set, { phrases: QUESTIONS, thinkMs: 450, messages: 25 });
  return {
    ...set.scene,
    web: [
      ...parts('socket', 7).map((each) => new WebCustomer(each, { follows: 'stream', joins: true })),
      ...parts('poll', 3).map((each) => new WebCustomer(each, { follows: 'poll', joins: false })),
    ],
    azure: parts('azure', 4).map((each) => new AzureCustomer(each, set.serviceUrl)),
  };
}

/** The gate alone, twice, killed where the marksman aims. */
export async function castGate(stage: Stage, databaseUrl: string, marksman: Marksman): Promise<Scene> {
  const kind = (around: Surroundings): Kind => gateKind(stage.programs.gate, around);
  const set = await build(stage, 'gate', databaseUrl, GATE_INSTANCES, kind, { marksman });
  const parts = customers(stage, 'gate', set, { phrases: GATE_PHRASES, thinkMs: 120, messages: 60 });
  return {
    ...set.scene,
    web: parts('web', 8).map((each) => new WebCustomer(each, { follows: 'poll', joins: false })),
    azure: parts('azure', 10).map((each) => new AzureCustomer(each, set.serviceUrl)),
  };
}

interface Built {
  readonly scene: Omit<Scene, 'web' | 'azure'>;
  readonly doors: readonly string[];
  readonly serviceUrl: string;
}

async function build(
  stage: Stage,
  name: Scene['name'],
  databaseUrl: string,
  count: number,
  kind: (around: Surroundings) => Kind,
  { marksman }: { readonly marksman?: Marksman },
): Promise<Built> {
  const sink = await openSink(azureKey);
  const toSink = await FaultProxy.open(stage.random.fork(`${name} sink`), sink.port);
  const proxies = [toSink];
  const instances: Instance[] = [];
  const doors: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const id = `${name}-${number}`;
    const random = stage.random.fork(id);
    const front = await FaultProxy.open(random.fork('front'));
    const toPostgres = await FaultProxy.open(random.fork('postgres'), stage.postgresPort);
    const toRedis = stage.redisPort === null ? null : await FaultProxy.open(random.fork('redis'), stage.redisPort);
    proxies.push(front, toPostgres, ...(toRedis ? [toRedis] : []));
    doors.push(`http://127.0.0.1:${front.port}`);
    const around = {
      databaseUrl: Object.assign(new URL(databaseUrl), { port: String(toPostgres.port) }).href,
      redisUrl: toRedis && `redis://127.0.0.1:${toRedis.port}`,
    };
    const logFile = join(stage.folder, `${id}.log`);
    const aimed = marksman?.aimAt(id);
    instances.push(new Instance({ name: id, kind: kind(around), front, random, logFile, ...aimed }));
  }
  return {
    scene: { name, databaseUrl, instances, proxies, sink },
    doors,
    serviceUrl: `http://127.0.0.1:${toSink.port}`,
  };
}

/** Makes customers by the dozen, each with a name and a chance of their own. */
function customers(
  { random, closing, over }: Stage,
  scene: Scene['name'],
  { doors }: Built,
  habits: Pick<CustomerParts, 'phrases' | 'thinkMs' | 'messages'>,
): (kind: string, count: number) => CustomerParts[] {
  return (kind, count) =>
    Array.from({ length: count }, (_, index) => {
      const name = `${scene}-${kind}${index + 1}`;
      return { name, doors, random: random.fork(name), closing, over, ...habits };
    });
}
