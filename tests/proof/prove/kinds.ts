/** The two kinds of processes that are killed: the whole service as a bank runs it, and the gate alone. */

import type { ChildProcess } from 'node:child_process';
import type { Kind } from './instance.ts';
import type { GateReady, GateSettings } from './points.ts';

/** Where a process finds what it needs, faults on the way included. */
export interface Surroundings {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
}

const NO_LIMIT = '999999999';

/** The service in demo mode, all instances with the same key. */
export function serviceKind(
  program: string,
  { databaseUrl, redisUrl }: Surroundings,
  own: { readonly dataDir: string; readonly dataKey: string },
): Kind {
  const rates = ['TOKENS', 'CONVERSATIONS', 'POSTS', 'UPLOADS'].map((what) => [`RATE_${what}_PER_MINUTE`, NO_LIMIT]);
  return {
    program,
    env: {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      ...(redisUrl !== null && { REDIS_URL: redisUrl }),
      DATA_DIR: own.dataDir,
      DATA_KEY: own.dataKey,
      LOG_LEVEL: 'warn',
      ...Object.fromEntries(rates),
    },
    listening: saidAddress,
  };
}

export function gateKind(program: string, { databaseUrl, redisUrl }: Surroundings): Kind {
  const settings: GateSettings = { databaseUrl, redisUrl };
  return {
    program,
    env: { GATE: JSON.stringify(settings) },
    listening: (child) =>
      new Promise((resolve) => child.once('message', (message) => resolve((message as GateReady).port))),
  };
}

/** The port in the address the service prints when it is ready. */
function saidAddress(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
      const port = /Start page\s+http:\/\/[^\s/]+:(\d+)\//.exec(said)?.[1];
      if (port === undefined) return;
      child.stdout?.off('data', listen);
      resolve(Number(port));
    };
    child.stdout?.on('data', listen);
  });
}
