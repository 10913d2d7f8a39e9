import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cleanUp,
  copyBinaries,
  isRoot,
  kept,
  makeFolder,
  makeUsedFolder,
  ordinary,
  ordinaryCannot,
  put,
  refusalOf,
  startHere,
  startProcess,
  theRow,
} from './lobby.ts';

cleanUp();

describe.runIf(isRoot)('for root, whose server runs as an ordinary user:', () => {
  test('from a checkout nobody else can enter, program and data go where the server can reach them', async () => {
    const home = await makeFolder();
    const reachableFolder = await makeFolder();
    const binaries = await copyBinaries(home);
    await chmod(home, 0o700);
    const options = { dataDir: join(home, 'data'), binaries, reachableFolder };
    const first = await startHere(options);
    await put(first);
    await first.stop();
    const [data, program] = (await readdir(reachableFolder)).sort();
    expect(data).toMatch(/^[0-9a-f]{16}$/);
    expect(program).toMatch(/^server-/);
    expect(first.logs.join(' ')).toContain(join(reachableFolder, data ?? ''));
    expect(first.logs.join(' ')).toContain(join(reachableFolder, program ?? ''));
    expect(await readdir(join(home, 'data'))).toEqual([]);

    await chmod(home, 0o755);
    const second = await startHere(options);
    expect(await kept(second)).toEqual(theRow);
    await second.stop();

    await chmod(home, 0o700);
    expect(await kept(await startHere(options))).toEqual(theRow);
  });

  test('data that the server can no longer reach is not taken for lost', async () => {
    const dataDir = await makeUsedFolder();
    const options = { dataDir, reachableFolder: await makeFolder() };
    await chmod(dataDir, 0o700);
    expect(await refusalOf(startHere(options))).toMatchObject({ code: 'data_folder_unreachable' });
    await chmod(dataDir, 0o755);
    expect(await kept(await startHere(options))).toEqual(theRow);
  });

  test('the database of an ordinary user is served as that user, who can go on with it', async (context) => {
    if (ordinaryCannot) context.skip(ordinaryCannot);
    const dataDir = await makeUsedFolder(ordinary);
    const root = await startHere({ dataDir });
    expect(await kept(root)).toEqual(theRow);
    await root.stop();
    expect(await kept(await startProcess({ dataDir }, ordinary))).toEqual(theRow);
  });
});

test('an ordinary user keeps data and program where they are', async (context) => {
  if (ordinaryCannot) context.skip(ordinaryCannot);
  const dataDir = await makeUsedFolder(ordinary);
  const reachableFolder = join(dataDir, 'unused');
  expect(await kept(await startProcess({ dataDir, reachableFolder }, ordinary))).toEqual(theRow);
  expect(await readdir(dataDir)).toEqual(['postgres']);
});
