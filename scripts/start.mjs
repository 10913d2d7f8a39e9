/** Starts Lobby: builds it first when the sources have changed, then runs it in this process. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeReady } from './ready.mjs';
import { root } from './tools.mjs';

await makeReady({ staleWillDo: false, say: console.log });
await import(pathToFileURL(join(root, 'dist', 'bot', 'main.js')).href);
