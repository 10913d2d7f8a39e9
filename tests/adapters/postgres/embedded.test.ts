import { spawn } from 'node:child_process';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ask,
  cleanUp,
  clusterOf,
  isRoot,
  kept,
  makeFolder,
  makeUsedFolder,
  ordinary,
  ordinaryCannot,
  pidFileOf,
  put,
  type Refusal,
  refusalOf,
  serverPid,
  startHere,
  startProcess,
  theRow,
  type User,
} from './lobby.ts';

cleanUp();

const users: [string, User | null, string][] = isRoot
  ? [
      ['root', null, ''],
      ['an ordinary user', ordinary, ordinaryCannot],
    ]
  : [['an ordinary user', null, '']];

describe.each(users)('for %s', (_name, user, cannot) => {
  test('the first start makes a database of a fixed locale, durable and private, with nothing in the environment', async (context) => {
    if (cannot) context.skip(cannot);
    const dataDir = join(await makeFolder(user), 'not', 'yet', 'there');
    const lobby = await startProcess({ dataDir }, user);
    const [row] = await ask(
      lobby.connectionString,
      `select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
              current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages,
              current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses,
              (select concat(datlocprovider, ' ', datlocale) from pg_database where datname = current_database()) as locale,
              lower('ÄÉ') as lower, current_user::text as login,
              (select rolsuper from pg_roles where rolname = current_user) as super`,
    );
    expect(row).toEqual({
      encoding: 'UTF8',
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      checksums: 'on',
      addresses: '127.0.0.1',
      locale: 'b C.UTF-8',
      lower: 'äé',
      login: 'lobby',
      super: false,
    });
    const { hostname, port } = new URL(lobby.connectionString);
    expect(hostname).toBe('127.0.0.1');
    expect(port).not.toBe('5432');
    expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
    const rules = (await readFile(join(clusterOf(dataDir), 'pg_hba.conf'), 'utf8')).match(/^(local|host).*$/gm) ?? [];
    expect(new Set(rules.map((rule) => rule.trim().split(/\s+/).at(-1)))).toEqual(new Set(['scram-sha-256']));
    expect(lobby.takenOver).toBe(false);
    await lobby.stop();
    expect(await stat(pidFileOf(dataDir)).catch(() => null)).toBeNull();
  });

  test('a killed Lobby leaves the server running, and the next one takes it over', async (context) => {
    if (cannot) context.skip(cannot);
    const dataDir = await makeUsedFolder(user);
    const first = await startProcess({ dataDir }, user);
    await ask(first.connectionString, 'update kept set answer = 43');
    const pid = await serverPid(dataDir);
    await first.kill();
    const second = await startProcess({ dataDir }, user);
    expect(second.takenOver).toBe(true);
    expect(second.connectionString).toBe(first.connectionString);
    expect(await serverPid(dataDir)).toBe(pid);
    expect(await kept(second)).toEqual([{ answer: 43 }]);
    await second.stop();
    expect(await stat(pidFileOf(dataDir)).catch(() => null)).toBeNull();
  });

  test('a second Lobby on the same folder is refused and harms nothing', async (context) => {
    if (cannot) context.skip(cannot);
    const dataDir = await makeUsedFolder(user);
    const first = await startProcess({ dataDir }, user);
    expect(await refusalOf(startProcess({ dataDir }, user))).toEqual({
      code: 'data_folder_in_use',
      message: `Another Lobby (lobby process ${first.process.pid}) is using ${dataDir}/postgres; stop it first, or set DATA_DIR to another folder.`,
    });
    expect(await kept(first)).toEqual(theRow);
  });
});

test('the second start is there in under two seconds, with everything that was recorded', async () => {
  const dataDir = await makeUsedFolder();
  const began = performance.now();
  const lobby = await startHere({ dataDir });
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(lobby.takenOver).toBe(false);
  expect(await kept(lobby)).toEqual(theRow);
});

test('two first starts at once make one database, for one of them', async () => {
  const dataDir = await makeFolder();
  const outcomes = await Promise.all([refusalOf(startHere({ dataDir })), refusalOf(startHere({ dataDir }))]);
  const refused = outcomes.filter((outcome): outcome is Refusal => 'code' in outcome);
  const [started] = outcomes.filter((outcome) => 'stop' in outcome);
  expect(refused).toEqual([expect.objectContaining({ code: 'data_folder_in_use' })]);
  expect(await readdir(dataDir)).toEqual(['postgres']);
  expect(await ask(started?.connectionString ?? '', 'select 1 as n')).toEqual([{ n: 1 }]);
});

test('a start that was killed while making the database is made up for by the next', async () => {
  const dataDir = await makeFolder();
  const first = refusalOf(startProcess({ dataDir }));
  await expect.poll(async () => (await readdir(dataDir)).length, { interval: 5, timeout: 5_000 }).toBe(1);
  const half = (await readdir(dataDir))[0] ?? '';
  process.kill(Number(/postgres\.new-(\d+)-/.exec(half)?.[1]), 'SIGKILL');
  expect(await first).toMatchObject({ message: expect.stringContaining('said nothing') });
  const second = await startHere({ dataDir });
  await put(second);
  expect(await kept(second)).toEqual(theRow);
  await second.stop();
  await startHere({ dataDir });
  expect(await readdir(dataDir)).toEqual(['postgres']);
});

test('Ctrl-C in the terminal does not reach the server before Lobby has stopped it', async () => {
  const dataDir = await makeUsedFolder();
  const first = await startProcess({ dataDir });
  const pid = await serverPid(dataDir);
  process.kill(-(first.process.pid ?? 0), 'SIGINT');
  await expect.poll(() => first.process.signalCode).toBe('SIGINT');
  expect(await startHere({ dataDir })).toMatchObject({ takenOver: true });
  expect(await serverPid(dataDir)).toBe(pid);
});

test('keeping a server adds no handler of signals or of the end of the process', async () => {
  const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'beforeExit', 'uncaughtException', 'unhandledRejection'];
  const count = () => events.map((event) => process.listenerCount(event));
  const dataDir = await makeUsedFolder();
  const before = count();
  const lobby = await startHere({ dataDir });
  expect(count()).toEqual(before);
  await lobby.stop();
});

test('a server that dies under a running Lobby comes back under the same address', async () => {
  const dataDir = await makeUsedFolder();
  const lobby = await startHere({ dataDir });
  const pid = await serverPid(dataDir);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => kept(lobby).catch(() => []), { timeout: 15_000 }).toEqual(theRow);
  expect(await serverPid(dataDir)).not.toBe(pid);
  await expect.poll(() => lobby.logs).toEqual(['PostgreSQL went away; starting it again.', 'PostgreSQL is back.']);
  expect(await refusalOf(startHere({ dataDir }))).toMatchObject({ code: 'data_folder_in_use' });
});

test('a Lobby that stops while it brings its server back leaves none behind', async () => {
  const dataDir = await makeUsedFolder();
  const lobby = await startHere({ dataDir });
  process.kill(await serverPid(dataDir), 'SIGKILL');
  await expect.poll(() => lobby.logs, { interval: 1 }).toHaveLength(1);
  await lobby.stop();
  expect(await stat(pidFileOf(dataDir)).catch(() => null)).toBeNull();
  await lobby.stop();
});

test('a server that died with its Lobby recovers what was committed', async () => {
  const dataDir = await makeUsedFolder();
  const first = await startProcess({ dataDir });
  await ask(first.connectionString, 'update kept set answer = 43');
  const pid = await serverPid(dataDir);
  await first.kill();
  process.kill(pid, 'SIGKILL');
  const next = await startHere({ dataDir });
  expect(next.takenOver).toBe(false);
  expect(await kept(next)).toEqual([{ answer: 43 }]);
});

test('a pid file whose number belongs to another process now does not stop the start', async () => {
  const dataDir = await makeUsedFolder();
  const first = await startHere({ dataDir });
  const file = await readFile(pidFileOf(dataDir), 'utf8');
  await first.stop();
  const { uid, gid } = await stat(clusterOf(dataDir));
  const other = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot && { uid, gid }) });
  onTestFinished(() => void other.kill());
  await writeFile(pidFileOf(dataDir), file.replace(/^\d+/, String(other.pid)));
  const second = await startHere({ dataDir });
  expect(second.takenOver).toBe(false);
  expect(await kept(second)).toEqual(theRow);
  expect(other.exitCode).toBeNull();
});

test('a data folder reached through a link is the same folder', async () => {
  const dataDir = await makeUsedFolder();
  const link = join(await makeFolder(), 'link');
  await symlink(dataDir, link);
  await startHere({ dataDir });
  expect(await refusalOf(startHere({ dataDir: link }))).toMatchObject({ code: 'data_folder_in_use' });
});

test('nothing a customer wrote reaches the log of the server', async () => {
  const dataDir = await makeUsedFolder();
  const lobby = await startHere({ dataDir });
  await ask(lobby.connectionString, "create table said (text text unique); insert into said values ('my card 6222')");
  await ask(lobby.connectionString, "insert into said values ('my card 6222')").catch(() => {});
  await ask(lobby.connectionString, "select 'my card 6222'::int").catch(() => {});
  await lobby.stop();
  const log = await readFile(join(dataDir, 'postgres', 'server.log'), 'utf8');
  expect(log).toContain('ready to accept connections');
  expect(log).not.toContain('6222');
});

test('nobody else on the network reaches the server', async (context) => {
  const addresses = Object.values(networkInterfaces()).flat();
  const outer = addresses.find((each) => each && !each.internal && each.family === 'IPv4');
  if (!outer) return context.skip('this machine has no address but its loopback');
  const lobby = await startHere({ dataDir: await makeUsedFolder() });
  const url = new URL(lobby.connectionString);
  url.hostname = outer.address;
  await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
