/** The operator's commands as processes of their own, as an operator runs them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const sources = [
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL('../../../bot/commands/main.ts', import.meta.url)),
];
const build = [fileURLToPath(new URL('../../../scripts/command.mjs', import.meta.url))];

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts one with these settings and no others: from its sources, or as `npm run` does, from the build. */
export function start(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  { built = false, node = [] }: { readonly built?: boolean; readonly node?: readonly string[] } = {},
): Running {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...node, ...(built ? build : sources), ...words], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = [child.stdout, child.stderr].map((stream) => {
    const said: string[] = [];
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
    return said;
  });
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out: out?.join('') ?? '',
    err: err?.join('') ?? '',
  }));
  return { process: child, ended };
}

export function run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return start(words, env).ended;
}

/** A folder for the length of one test, which the user of a private PostgreSQL can enter. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-commands-'));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
