/** The service as a bank runs it: a process of its own on data of its own, killed and started again at the same address. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { build } from '../../../scripts/build.mjs';
import { root } from '../../../scripts/tools.mjs';

const PROGRAM = join(root, 'dist', 'bot', 'main.js');
const STARTS_WITHIN_MS = 60_000;

/** Rates no test reaches by accident: the limits stand, only higher. */
const HIGH_RATES = Object.fromEntries(
  ['TOKENS', 'CONVERSATIONS', 'POSTS', 'UPLOADS'].map((what) => [`RATE_${what}_PER_MINUTE`, '1000000']),
);

/** Ends the process when its parent is gone: nothing outlives the tests. */
const ENDS_WITH_PARENT = "data:text/javascript,process.on('disconnect',()=>process.kill(process.pid,'SIGKILL'))";

export class Service {
  /** The same for every start. */
  readonly base: URL;
  readonly #dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #left: EmbeddedPostgres | undefined;

  private constructor(port: number, dataDir: string, env: Readonly<Record<string, string>>) {
    this.base = new URL(`http://127.0.0.1:${port}`);
    this.#dataDir = dataDir;
    this.#env = { PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...HIGH_RATES, ...env };
  }

  /** Builds Lobby if need be, and starts it with demo settings on an empty data folder; `env` changes some of them. */
  static async begin(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    await build(root, () => undefined);
    const dataDir = await mkdtemp(join(tmpdir(), 'lobby-service-'));
    // The private PostgreSQL runs as an ordinary user, who has to get in.
    await chmod(dataDir, 0o755);
    const service = new Service(await freePort(), dataDir, env);
    try {
      await service.start();
      return service;
    } catch (error) {
      await service.end();
      throw error;
    }
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', ENDS_WITH_PARENT, PROGRAM], {
      // Nothing of our own environment: it may hold settings of Lobby.
      env: { PATH: process.env.PATH, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#process = child;
    let said = '';
    const ready = new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said = (said + chunk.toString()).slice(-10_000);
        if (said.includes('is ready.')) resolve();
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`The service ended at its start:\n${said}`)));
      setTimeout(() => reject(new Error(`The service did not start:\n${said}`)), STARTS_WITHIN_MS).unref();
    });
    await ready;
  }

  /** As `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills it for good, and reads the record it left: its PostgreSQL outlives it. */
  async readRecord<Result>(read: (record: PostgresDatabase) => Promise<Result>): Promise<Result> {
    const { connectionString } = await this.#takeOver();
    const record = await openDatabase({ connectionString, max: 1 });
    try {
      return await read(record);
    } finally {
      await record.close();
    }
  }

  /** Ends everything and removes the data. */
  async end(): Promise<void> {
    const left = await this.#takeOver();
    await left.stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #takeOver(): Promise<EmbeddedPostgres> {
    await this.kill();
    this.#left ??= await startEmbeddedPostgres({ dataDir: this.#dataDir, log: () => undefined });
    return this.#left;
  }
}

/** Below the ports that systems hand out to others, so that it is still free at the next start. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
