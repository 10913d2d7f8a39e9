import { spawnSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ask,
  cleanUp,
  clusterOf,
  copyBinaries,
  isRoot,
  kept,
  makeFolder,
  makeSmallDisk,
  makeUsedFolder,
  ordinary,
  ordinaryCannot,
  put,
  type Refusal,
  refusalOf,
  startHere,
  startProcess,
  theRow,
} from './lobby.ts';

cleanUp();

test('a folder the user may not write to is said so', async (context) => {
  if (ordinaryCannot) context.skip(ordinaryCannot);
  const parent = await makeFolder(ordinary);
  await chmod(parent, 0o555);
  expect(await refusalOf(startProcess({ dataDir: join(parent, 'data') }, ordinary))).toEqual({
    code: 'data_folder_not_writable',
    message: `This user may not read and write ${parent}/data; give it the right, or set DATA_DIR to another folder.`,
  });
});

test('a database that belongs to another user is said so', async (context) => {
  if (!isRoot) return context.skip('only root can start Lobby as two users');
  if (ordinaryCannot) context.skip(ordinaryCannot);
  const dataDir = await makeUsedFolder();
  expect(await refusalOf(startProcess({ dataDir }, ordinary))).toMatchObject({ code: 'data_folder_not_writable' });
});

test('a data folder that is a file is said so', async () => {
  const dataDir = join(await makeFolder(), 'data');
  await writeFile(dataDir, 'my notes');
  expect(await refusalOf(startHere({ dataDir }))).toMatchObject({ code: 'data_folder_foreign' });
  expect(await readFile(dataDir, 'utf8')).toBe('my notes');
});

test("a folder with somebody else's files is left alone", async () => {
  const dataDir = await makeFolder();
  await mkdir(join(dataDir, 'postgres'));
  await writeFile(join(dataDir, 'postgres', 'thesis.txt'), 'ten years of work');
  expect(await refusalOf(startHere({ dataDir }))).toMatchObject({ code: 'data_folder_foreign' });
  expect(await readFile(join(dataDir, 'postgres', 'thesis.txt'), 'utf8')).toBe('ten years of work');
});

const password = (dataDir: string) => join(dataDir, 'postgres', 'password');

test.each<[string, string, (dataDir: string) => Promise<unknown>]>([
  [
    'of another PostgreSQL',
    'data_folder_version',
    (dataDir) => writeFile(join(clusterOf(dataDir), 'PG_VERSION'), '15\n'),
  ],
  ['without its password', 'data_folder_foreign', (dataDir) => rm(password(dataDir))],
  ['with a damaged password', 'data_folder_foreign', (dataDir) => writeFile(password(dataDir), '')],
  ['with another password', 'database_server_failed', (dataDir) => writeFile(password(dataDir), 'a'.repeat(48))],
  ['with files missing', 'database_server_failed', (dataDir) => rm(join(clusterOf(dataDir), 'global', 'pg_control'))],
  [
    'without its log of changes',
    'database_server_failed',
    (dataDir) => rm(join(clusterOf(dataDir), 'pg_wal'), { recursive: true }),
  ],
])('a database %s is said so and left as it is', async (_what, code, damage) => {
  const dataDir = await makeUsedFolder();
  await damage(dataDir);
  const before = await readdir(join(clusterOf(dataDir), 'base'));
  const refusal = (await refusalOf(startHere({ dataDir }))) as Refusal;
  expect(refusal.code).toBe(code);
  expect(refusal.message).toContain(`${dataDir}/postgres`);
  expect(await readdir(join(clusterOf(dataDir), 'base'))).toEqual(before);
});

test('a disk too full to make the database is said so, and nothing is left on it', async (context) => {
  const dataDir = await makeSmallDisk(20);
  if (!dataDir) return context.skip('this user cannot mount a small disk to fill');
  expect(await refusalOf(startHere({ dataDir }))).toMatchObject({
    code: 'data_folder_full',
    message: `The disk of ${dataDir} is full; free some space, nothing recorded is lost.`,
  });
  expect(await readdir(dataDir)).toEqual([]);
});

test('a disk that has become full is said so, and all is there when it has space again', async (context) => {
  const dataDir = await makeSmallDisk(200);
  if (!dataDir) return context.skip('this user cannot mount a small disk to fill');
  const first = await startHere({ dataDir });
  await put(first);
  await first.stop();
  // Not even the last page of the server's log has room for what it would say.
  const log = join(dataDir, 'postgres', 'server.log');
  await appendFile(log, ' '.repeat(4096 - ((await stat(log)).size % 4096)));
  spawnSync('dd', ['if=/dev/zero', `of=${dataDir}/filler`, 'bs=4096']);
  expect(await refusalOf(startHere({ dataDir }))).toMatchObject({ code: 'data_folder_full' });
  await rm(join(dataDir, 'filler'));
  expect(await kept(await startHere({ dataDir }))).toEqual(theRow);
});

test('a server program that cannot be run is said so', async () => {
  const dataDir = await makeUsedFolder();
  const binaries = await copyBinaries(await makeFolder());
  await chmod(join(binaries, 'bin', 'postgres'), 0o644);
  expect(await refusalOf(startHere({ dataDir, binaries }))).toMatchObject({
    code: 'database_server_failed',
    message: expect.stringContaining('could not be run'),
  });
  await rm(join(binaries, 'bin', 'initdb'));
  expect(await refusalOf(startHere({ dataDir, binaries }))).toMatchObject({
    code: 'database_server_failed',
    message: expect.stringContaining('does not start on this machine'),
  });
});

test('a package whose installation script did not run is completed', async () => {
  const binaries = await copyBinaries(await makeFolder());
  const links = spawnSync('find', [binaries, '-type', 'l', '-print', '-delete'], { encoding: 'utf8' }).stdout;
  expect(links).toContain('libpq.so.5');
  const lobby = await startHere({ dataDir: await makeFolder(), binaries });
  expect(await ask(lobby.connectionString, 'select 1 as n')).toEqual([{ n: 1 }]);
});
