/** The whole service on a scratch database and a free port, as a test sees it from outside. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresDatabase } from '../../adapters/postgres/database.ts';
import { type App, type AppParts, createApp } from '../../bot/app.ts';
import { readConfig } from '../../bot/config.ts';
import { type ScratchDatabase, scratchDatabase } from './database.ts';
import { silentLog } from './log.ts';

export interface TestApp {
  readonly base: URL;
  /** As the owner of the tables. */
  readonly database: PostgresDatabase;
  readonly app: App;
  close(): Promise<void>;
}

/** Instances of one bank share their key. */
const TEST_KEY = Buffer.alloc(32, 7).toString('base64');

/** Rates no test reaches by accident. Never an exemption of the service's own: the limits stand, only higher. */
const HIGH_RATES = Object.fromEntries(
  ['REQUESTS', 'TOKENS', 'CONVERSATIONS', 'POSTS', 'UPLOADS'].map((what) => [`RATE_${what}_PER_MINUTE`, '1000000']),
);

/** Starts the service with demo settings; `env` changes some of them. A `scratch` given is shared with other instances, and stays. */
export async function startTestApp(
  env: Readonly<Record<string, string>> = {},
  parts: Partial<AppParts> & { readonly scratch?: ScratchDatabase } = {},
): Promise<TestApp> {
  const scratch: ScratchDatabase = parts.scratch ?? (await scratchDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), 'lobby-app-'));
  const config = readConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    DATA_KEY: TEST_KEY,
    DATABASE_URL: scratch.connectionString,
    LOG_LEVEL: 'silent',
    ...HIGH_RATES,
    ...env,
  });
  const app = await createApp(config, { log: silentLog, ...parts });
  return {
    base: new URL(app.address),
    database: scratch.database,
    app,
    async close() {
      await app.close();
      if (!parts.scratch) await scratch.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
