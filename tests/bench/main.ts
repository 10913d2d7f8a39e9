/** `npm run bench`: Lobby's turn beside its baselines, ten thousand idle sockets, more messages than it can take; each measured in one run on this machine. */

import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../scripts/build.mjs';
import { root } from '../../scripts/tools.mjs';
import { Children } from './children.ts';
import { compare } from './compare.ts';
import { type Command, HELP, readCommand } from './options.ts';
import { overload } from './overload.ts';
import { sockets } from './sockets.ts';
import { Stage } from './stage.ts';

const children = new Children();

async function main(): Promise<number> {
  const command = readCommand(process.argv.slice(2));
  if (command.name === 'help') {
    console.log(HELP);
    return 0;
  }
  await build(root, console.log);
  const folder = await makeFolder();
  children.atEnd(() => rm(folder, { recursive: true, force: true }));
  if (command.profile !== undefined) await mkdir(command.profile, { recursive: true });
  try {
    return (await run(command, new Stage(children, folder, command))) ? 0 : 1;
  } finally {
    await children.end();
  }
}

/** Resolves to whether every goal that was measured is met. */
function run(command: Exclude<Command, { name: 'help' }>, stage: Stage): Promise<boolean> {
  switch (command.name) {
    case 'compare':
      return compare(command, stage);
    case 'sockets':
      return sockets(command, stage);
    case 'overload':
      return overload(command, stage);
  }
}

/** Under root, PostgreSQL runs as another user, who must be able to enter. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-bench-'));
  await chmod(folder, 0o755);
  return folder;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    void children.end().finally(() => process.exit(130));
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    // What was under way when everything was ended has failed, of course.
    if (interrupted) return;
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
