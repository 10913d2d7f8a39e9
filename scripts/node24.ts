/** `npm run check:node24`: the whole suite under Node 24, whatever runs this. Node 24 comes from its npm package. */

import { execFileSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { exitOf, fileOf } from './tools.mjs';

const npx = ['--yes', '--package=node@24', '--', 'node', '--print', 'process.execPath'];
const node24 = execFileSync('npx', npx, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
const version = execFileSync(node24, ['--version'], { encoding: 'utf8' }).trim();
if (!version.startsWith('v24.')) {
  console.error(`Node 24 was asked for, but ${node24} is ${version}.`);
  process.exit(1);
}

console.log(`Node ${version}`);
const PATH = [dirname(node24), process.env.PATH].join(delimiter);
process.exitCode = await exitOf(node24, [fileOf('tsx'), 'scripts/test.ts', ...process.argv.slice(2)], {
  env: { ...process.env, PATH },
});
