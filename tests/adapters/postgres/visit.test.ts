/** An operator's command at the private PostgreSQL: beside the Lobby that runs it, or alone, and never making one. */

import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Visit, visitEmbeddedPostgres } from '../../../adapters/postgres/visit.ts';
import {
  ask,
  cleanUp,
  makeFolder,
  makeUsedFolder,
  pidFileOf,
  refusalOf,
  startHere,
  startProcess,
  theRow,
} from './lobby.ts';

cleanUp();

const visit = (dataDir: string, alone = false): Promise<Visit> =>
  visitEmbeddedPostgres({ dataDir, alone, log: () => {} });
const kept = ({ connectionString }: Visit) => ask(connectionString, 'select answer from kept');

test('without a Lobby the server is started for the visit and ended after it', async () => {
  const dataDir = await makeUsedFolder();
  const visitor = await visit(dataDir);
  expect(visitor.beside).toBe(false);
  expect(await kept(visitor)).toEqual(theRow);
  await visitor.leave();
  expect(await stat(pidFileOf(dataDir)).catch(() => null)).toBeNull();
});

test('beside a running Lobby its server is used, and stays', async () => {
  const dataDir = await makeUsedFolder();
  const lobby = await startProcess({ dataDir });
  const visitor = await visit(dataDir);
  expect(visitor.beside).toBe(true);
  expect(visitor.connectionString).toBe(lobby.connectionString);
  await visitor.leave();
  expect(await ask(lobby.connectionString, 'select answer from kept')).toEqual(theRow);
});

test('whoever must be alone is refused while a Lobby runs', async () => {
  const dataDir = await makeUsedFolder();
  await startHere({ dataDir });
  expect(await refusalOf(visit(dataDir, true))).toMatchObject({ code: 'data_folder_in_use' });
});

test('a Lobby that was killed does not stand in the way', async () => {
  const dataDir = await makeUsedFolder();
  await (await startProcess({ dataDir })).kill();
  const visitor = await visit(dataDir, true);
  expect(await kept(visitor)).toEqual(theRow);
  await visitor.leave();
});

test('where no Lobby has kept anything, nothing is made', async () => {
  const dataDir = await makeFolder();
  expect(await refusalOf(visit(dataDir))).toMatchObject({ code: 'data_folder_absent' });
  expect(await readdir(dataDir)).toEqual([]);
  const mistyped = join(dataDir, 'mistyped');
  expect(await refusalOf(visit(mistyped))).toMatchObject({
    code: 'data_folder_absent',
    message: `There is no database of Lobby in ${mistyped}; check DATA_DIR, or set DATABASE_URL.`,
  });
  expect(await readdir(dataDir)).toEqual([]);
  await writeFile(join(dataDir, 'file'), '');
  expect(await refusalOf(visit(join(dataDir, 'file')))).toMatchObject({ code: 'data_folder_absent' });
});
