/** A PostgreSQL as a bank has it: of another version than Lobby's own, with a login that owns one database and nothing else. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';

export interface BankPostgres {
  readonly version: number;
  /** A new, empty database and its owner, who is no superuser. */
  newDatabase(): Promise<{ readonly url: string; readonly password: string }>;
  stop(): Promise<void>;
}

/** The newest version this machine has that is not Lobby's own; null when there is none. */
function findVersion(): number | null {
  const versions = existsSync(installed) ? readdirSync(installed).map(Number) : [];
  const usable = versions.filter(
    (each) => each >= 14 && each < 18 && existsSync(join(installed, String(each), 'bin', 'initdb')),
  );
  return usable.sort((a, b) => b - a)[0] ?? null;
}

/** Starts it on a free port; resolves to null where the machine has no such PostgreSQL. */
export async function startBankPostgres(): Promise<BankPostgres | null> {
  const version = findVersion();
  if (version === null) return null;
  const binaries = join(installed, String(version), 'bin');
  const folder = await mkdtemp(join(tmpdir(), 'lobby-bank-postgres-'));
  const user = await ordinaryUser();
  if (user) await chown(folder, user.uid, user.gid);
  const as = { ...user, cwd: folder, env: { LC_ALL: 'C' } };
  const files = join(folder, 'files');
  const passwords = join(folder, 'password');
  await writeFile(passwords, 'administrator\n', { mode: 0o644 });
  await run(
    join(binaries, 'initdb'),
    ['-D', files, '-U', 'postgres', '--auth', 'scram-sha-256', '--pwfile', passwords, '-E', 'UTF8'],
    as,
  );
  const port = await freePort();
  const options = [
    '-D',
    files,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
  ];
  const server = spawn(join(binaries, 'postgres'), options, { ...as, stdio: 'ignore' });
  const ended = once(server, 'exit');
  const address = `postgres://postgres:administrator@127.0.0.1:${port}/postgres`;
  await answering(address);
  let made = 0;
  return {
    version,
    async newDatabase() {
      made += 1;
      const [name, password] = [`bank${made}`, `secret${made}`];
      await ask(address, `create role ${name} login password '${password}'`);
      await ask(address, `create database ${name} owner ${name}`);
      return { url: `postgres://${name}@127.0.0.1:${port}/${name}`, password };
    },
    async stop() {
      server.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(address: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ask(address, 'select 1');
      return;
    } catch (error) {
      if (tries === 400) throw error;
      await pause(50);
    }
  }
}

/** One statement on a connection of its own. */
async function ask(connectionString: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root. */
async function ordinaryUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = await Promise.all(['-u', '-g'].map((of) => run('id', [of, 'postgres'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}
