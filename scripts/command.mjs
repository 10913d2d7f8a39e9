/** Runs one of the operator's commands from the build. A running Lobby's build is never replaced under it: that is for the next start. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeReady } from './ready.mjs';
import { root } from './tools.mjs';

const program = join(root, 'dist', 'bot', 'commands', 'main.js');

await makeReady({ staleWillDo: existsSync(program), say: console.error });
await import(pathToFileURL(program).href);
