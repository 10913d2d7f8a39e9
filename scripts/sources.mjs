/** Tells whether `dist` was built from the sources as they are now. Node's own modules only: it runs before anything is installed to build with. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of the service, in the order of a message's journey. */
export const serviceFolders = ['adapters', 'bot', 'dialogs', 'knowledge', 'record'];

const whatABuildDependsOn = [
  ...serviceFolders,
  'web',
  'scripts/build.mjs',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Where a build notes what it was made from. Written last, so that it is there only when the build is whole. */
export const hashFile = join('dist', '.build-hash');

/**
 * One hash over the name and content of everything a build is made from.
 * @param {string} root
 */
export function hashOfSources(root) {
  const hash = createHash('sha256');
  for (const path of whatABuildDependsOn.flatMap((part) => filesUnder(root, part))) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * `current`: built from these sources. `stale`: built, from others. `absent`: not built, or not to the end.
 * @param {string} root
 * @returns {'current' | 'stale' | 'absent'}
 */
export function stateOfBuild(root) {
  const note = join(root, hashFile);
  if (!existsSync(note) || !existsSync(join(root, 'dist', 'bot', 'main.js'))) return 'absent';
  return readFileSync(note, 'utf8').trim() === hashOfSources(root) ? 'current' : 'stale';
}

/**
 * The files at or below a path, as paths from the root with forward slashes, in a fixed order.
 * @param {string} root
 * @param {string} path
 * @returns {string[]}
 */
export function filesUnder(root, path) {
  const at = join(root, path);
  if (!existsSync(at)) return [];
  if (!statSync(at).isDirectory()) return [path];
  return readdirSync(at)
    .sort()
    .flatMap((name) => filesUnder(root, `${path}/${name}`));
}
