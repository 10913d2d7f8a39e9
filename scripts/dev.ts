/** `npm run dev`: Lobby from its sources, started anew at each change, the pages bundled anew beside it. */

import { spawn } from 'node:child_process';
import { fileOf, root, type Tool } from './tools.mjs';

const watching: readonly (readonly [Tool, ...string[]])[] = [
  ['vite', 'build', '--watch', '--config', 'web/vite.config.ts', '--outDir', `${root}dist/web`, '--logLevel', 'warn'],
  ['tsx', 'watch', 'bot/main.ts'],
];

const children = watching.map(([tool, ...args]) =>
  spawn(process.execPath, [fileOf(tool), ...args], { cwd: root, stdio: 'inherit' }),
);

for (const child of children) child.once('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopAll);

function stopAll(): void {
  for (const child of children) child.kill('SIGTERM');
}
