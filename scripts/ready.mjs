/** What every way into the compiled Lobby asks first: is this Node new enough, and is it built? */

import { build } from './build.mjs';
import { stateOfBuild } from './sources.mjs';
import { canBuild, root } from './tools.mjs';

/**
 * Resolves when `dist` can be run; ends the process with a sentence when it cannot.
 * @param {{ readonly staleWillDo: boolean, readonly say: (line: string) => void }} options
 * `staleWillDo`: a build of older sources is left as it is.
 */
export async function makeReady({ staleWillDo, say }) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    stop(`Lobby needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  }
  const state = stateOfBuild(root);
  if (state === 'current' || (state === 'stale' && staleWillDo)) return;
  if (canBuild(root)) {
    await build(root, say).catch((error) => stop(error.message));
  } else if (state === 'absent') {
    stop(
      'Lobby is not built, and the tools to build it are not installed.\n' +
        'Run: npm ci && npm run build\n' +
        'Then npm ci --omit=dev leaves only what it needs to run.',
    );
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message);
  process.exit(1);
}
