/** A backup's file: whole under its name or not there, readable by its owner only, and never in place of another. */

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { makeFile, readPacked } from '../../../bot/commands/whole-file.ts';
import { cleanUp, makeSmallDisk } from '../../adapters/postgres/lobby.ts';
import { scratchFolder } from './run.ts';

cleanUp();

async function* saying(...pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}

const make = (path: string, source: AsyncIterable<Buffer>): Promise<number> =>
  makeFile(path, async (file) => {
    await file.write(source);
    return file.finish();
  });

async function textOf(source: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of source) text += chunk;
  return text;
}

it('has what was written, packed, for its owner only', async () => {
  const path = join(await scratchFolder(), 'backup.gz');
  expect(await make(path, saying('one ', 'two'))).toBe((await stat(path)).size);
  expect(gunzipSync(await readFile(path)).toString()).toBe('one two');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await textOf(readPacked(path))).toBe('one two');
});

it('has another name until it is finished, and can be read by then', async () => {
  const folder = await scratchFolder();
  await makeFile(join(folder, 'backup.gz'), async (file) => {
    await file.write(saying('rows'));
    expect(await readdir(folder)).toEqual([`backup.gz.part-${process.pid}`]);
    expect(await textOf(file.read())).toBe('rows');
    await file.finish();
  });
  expect(await readdir(folder)).toEqual(['backup.gz']);
});

it('never replaces another, not even one that came meanwhile', async () => {
  const folder = await scratchFolder();
  const path = join(folder, 'backup.gz');
  const meanwhile = makeFile(path, async (file) => {
    await file.write(saying('new'));
    await writeFile(path, 'old');
    await file.finish();
  });
  await expect(meanwhile).rejects.toMatchObject({ code: 'file_exists' });
  await expect(make(path, saying('new'))).rejects.toMatchObject({ code: 'file_exists' });
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['backup.gz']);
});

it('leaves nothing when what it is made from fails', async () => {
  const folder = await scratchFolder();
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.from('half');
    throw new RangeError('the database is away');
  }
  await expect(make(join(folder, 'backup.gz'), failing())).rejects.toThrow(new RangeError('the database is away'));
  expect(await readdir(folder)).toEqual([]);
});

it('leaves nothing on a full disk, and says so', async (context) => {
  const folder = await makeSmallDisk(1);
  if (folder === null) return context.skip('only root can make a small disk');
  async function* random(): AsyncGenerator<Buffer> {
    for (let n = 0; n < 64; n += 1)
      yield Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
  }
  await expect(make(join(folder, 'backup.gz'), random())).rejects.toMatchObject({ code: 'disk_full' });
  expect(await readdir(folder)).toEqual([]);
});

it('clears up after a killed one, and leaves one that is under way', async () => {
  const folder = await scratchFolder();
  await writeFile(join(folder, 'backup.gz.part-4194305'), 'of the dead');
  await writeFile(join(folder, `backup.gz.part-${process.ppid}`), 'of the living');
  await make(join(folder, 'backup.gz'), saying('rows'));
  expect((await readdir(folder)).sort()).toEqual(['backup.gz', `backup.gz.part-${process.ppid}`]);
});

it('says in a sentence why it cannot be written or read', async () => {
  const folder = await scratchFolder();
  await mkdir(join(folder, 'inside'));
  await expect(make(join(folder, 'nowhere', 'backup.gz'), saying('rows'))).rejects.toMatchObject({
    code: 'file_absent',
  });
  await expect(textOf(readPacked(join(folder, 'absent.gz')))).rejects.toMatchObject({ code: 'file_absent' });
  await expect(textOf(readPacked(join(folder, 'inside')))).rejects.toMatchObject({ code: 'file_is_folder' });
});
