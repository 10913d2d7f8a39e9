/** Starts Lobby: builds it first when the sources have changed, then runs it in this process. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { stateOfBuild } from './sources.mjs';
import { canBuild, root } from './tools.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  stop(`Lobby needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
}

const state = stateOfBuild(root);
if (state !== 'current' && canBuild(root)) {
  await build(root, console.log).catch((error) => stop(error.message));
} else if (state === 'absent') {
  stop(
    'Lobby is not built, and the tools to build it are not installed.\n' +
      'Run: npm ci && npm run build\n' +
      'Then npm ci --omit=dev leaves only what it needs to run.',
  );
}

await import(pathToFileURL(join(root, 'dist', 'bot', 'main.js')).href);

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message);
  process.exit(1);
}
