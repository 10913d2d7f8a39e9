/** Official Web Chat as Microsoft publishes it: fetched when it is asked for, kept beside the installed packages, never a dependency. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { root } from '../../../scripts/tools.mjs';

const run = promisify(execFile);

const RELEASE = 'botframework-webchat@4.18';
const KEPT_IN = join(root, 'node_modules', '.cache', RELEASE);
const MEMBERS = ['package/package.json', 'package/dist/webchat.js'];

const manifest = z.object({ version: z.string() });

export interface WebChatBundle {
  readonly version: string;
  /** The script a page loads, which defines `WebChat`. */
  readonly script: Buffer;
}

export async function fetchWebChat(): Promise<WebChatBundle> {
  if (!existsSync(KEPT_IN)) await unpackInto(KEPT_IN);
  const [json, script] = await Promise.all(MEMBERS.map((name) => readFile(join(KEPT_IN, name))));
  if (!json || !script) throw new Error(`${KEPT_IN} is incomplete; remove it.`);
  return { version: manifest.parse(JSON.parse(json.toString())).version, script };
}

/** The folder appears whole or not at all. npm checks what it fetched. */
async function unpackInto(folder: string): Promise<void> {
  const parent = join(folder, '..');
  await mkdir(parent, { recursive: true });
  const half = await mkdtemp(join(parent, 'half-'));
  try {
    await run('npm', ['pack', RELEASE, '--pack-destination', half, '--silent'], { cwd: half });
    const [archive = ''] = await readdir(half);
    await run('tar', ['-xzf', join(half, archive), '-C', half, ...MEMBERS]);
    await chmod(half, 0o755);
    await rename(half, folder);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}
