/** `npm run dev`: Lobby as `npm start` runs it, built and started anew at each change. A build that fails leaves the last one running. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { serviceFolders } from './sources.mjs';
import { root } from './tools.mjs';

/** Editors write a file in several steps. */
const settleMs = 100;

let service: ChildProcess | undefined;
let timer: NodeJS.Timeout | undefined;
let work = renew();

for (const folder of [...serviceFolders, 'web']) watch(join(root, folder), { recursive: true }, changed);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());

function changed(): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    work = work.then(renew);
  }, settleMs);
}

async function renew(): Promise<void> {
  try {
    await build(root, console.log);
  } catch (error) {
    console.error((error as Error).message);
    return;
  }
  await stop();
  service = spawn(process.execPath, ['dist/bot/main.js'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Else Ctrl-C would reach it twice, from the terminal and from here, and a second signal ends it at once.
    detached: true,
  });
}

async function stop(): Promise<void> {
  if (!service || service.exitCode !== null || service.signalCode !== null) return;
  service.kill('SIGTERM');
  await once(service, 'exit');
}

async function end(): Promise<void> {
  clearTimeout(timer);
  await work;
  await stop();
  process.exit(0);
}
