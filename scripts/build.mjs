/** Builds Lobby into `dist`: the service compiled, its data files beside it, the pages bundled. Safe to interrupt and to run twice at once. */

import { execFile } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { filesUnder, hashFile, hashOfSources, serviceFolders, stateOfBuild } from './sources.mjs';
import { canBuild, fileOf, root } from './tools.mjs';

const runToEnd = promisify(execFile);

/**
 * Builds when the sources have changed. Another build of the same folder is waited for.
 * @param {string} project
 * @param {(line: string) => void} say
 */
export async function build(project, say) {
  const dist = join(project, 'dist');
  mkdirSync(dist, { recursive: true });
  const unlock = await lock(join(dist, '.lock'));
  try {
    if (stateOfBuild(project) === 'current') return;
    const begun = Date.now();
    say('Building Lobby …');
    await buildAll(project, dist);
    say(`Built in ${((Date.now() - begun) / 1000).toFixed(1)} s.`);
  } finally {
    unlock();
  }
}

/**
 * @param {string} project
 * @param {string} dist
 */
async function buildAll(project, dist) {
  removeStaged(dist);
  const staged = join(dist, `.staged-${process.pid}`);
  const pages = join(dist, `.staged-pages-${process.pid}`);
  const hash = hashOfSources(project);
  const done = await Promise.allSettled([
    tool(project, 'tsc', ['-p', 'tsconfig.build.json', '--outDir', staged]),
    tool(project, 'vite', ['build', '--config', 'web/vite.config.ts', '--outDir', pages, '--logLevel', 'warn']),
  ]);
  const failed = done.find((result) => result.status === 'rejected');
  if (failed) {
    removeStaged(dist);
    throw failed.reason;
  }
  copyDataFiles(project, staged);
  cpSync(pages, join(staged, 'web'), { recursive: true });
  putInPlace(staged, dist, hash);
  removeStaged(dist);
}

/**
 * Also what a killed build left: its compilers may still be writing, so every build stages in folders of its own.
 * @param {string} dist
 */
function removeStaged(dist) {
  const left = readdirSync(dist).filter((name) => name.startsWith('.staged-'));
  for (const name of left) rmSync(join(dist, name), { recursive: true, force: true });
}

/**
 * Articles, intents and migrations: everything of the service that is not TypeScript.
 * @param {string} project
 * @param {string} staged
 */
function copyDataFiles(project, staged) {
  for (const path of serviceFolders.flatMap((folder) => filesUnder(project, folder))) {
    if (path.endsWith('.ts')) continue;
    mkdirSync(dirname(join(staged, path)), { recursive: true });
    cpSync(join(project, path), join(staged, path));
  }
}

/**
 * Swaps each folder in. The note of the hash is removed first and written last: a build cut short counts as absent.
 * @param {string} staged
 * @param {string} dist
 * @param {string} hash
 */
export function putInPlace(staged, dist, hash) {
  const note = join(dirname(dist), hashFile);
  rmSync(note, { force: true });
  for (const name of readdirSync(staged)) {
    rmSync(join(dist, name), { recursive: true, force: true });
    renameSync(join(staged, name), join(dist, name));
  }
  writeFileSync(note, `${hash}\n`);
}

/**
 * Quiet when all is well; on failure what the tool said is the message.
 * @param {string} project
 * @param {import('./tools.mjs').Tool} name
 * @param {string[]} args
 */
async function tool(project, name, args) {
  try {
    await runToEnd(process.execPath, [fileOf(name, project), ...args], { cwd: project, maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {{ stdout?: string, stderr?: string }} */ (error);
    throw new Error(`${name} failed:\n${stdout}${stderr}`.trimEnd());
  }
}

/**
 * One build at a time: the lock names its process, and a dead process holds nothing.
 * @param {string} file
 */
async function lock(file) {
  const claim = `${file}-${process.pid}`;
  writeFileSync(claim, String(process.pid));
  try {
    while (!linked(claim, file)) {
      if (isAlive(file)) await sleep(200);
      else rmSync(file, { force: true });
    }
  } finally {
    rmSync(claim);
  }
  return () => rmSync(file, { force: true });
}

/**
 * A link appears whole or not at all, so nobody reads a lock without its process.
 * @param {string} claim
 * @param {string} file
 */
function linked(claim, file) {
  try {
    linkSync(claim, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
function isAlive(file) {
  try {
    const holder = Number(readFileSync(file, 'utf8'));
    return holder !== process.pid && process.kill(holder, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (!canBuild(root)) {
    console.error('The tools to build with are not installed. Run: npm ci');
    process.exit(1);
  }
  try {
    await build(root, console.log);
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exit(1);
  }
}
