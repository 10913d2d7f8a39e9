/** Runs the project's tools by their own files, so that no shell, PATH or npx decides which one runs. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const files = {
  biome: '@biomejs/biome/bin/biome',
  oxlint: 'oxlint/bin/oxlint',
  tsc: 'typescript/bin/tsc',
  tsx: 'tsx/dist/cli.mjs',
  vite: 'vite/bin/vite.js',
  vitest: 'vitest/vitest.mjs',
};

/** @typedef {keyof typeof files} Tool */

/**
 * @param {Tool} tool
 * @param {string} [folder] The project to look in.
 */
export function fileOf(tool, folder = root) {
  return join(folder, 'node_modules', files[tool]);
}

/**
 * Whether the tools of a build are installed: they are not after `npm ci --omit=dev`.
 * @param {string} folder
 */
export function canBuild(folder) {
  return existsSync(fileOf('tsc', folder)) && existsSync(fileOf('vite', folder));
}

/**
 * Runs a tool to its end and gives its exit code. Its output goes to the terminal.
 * @param {Tool} tool
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function run(tool, args, options = {}) {
  return exitOf(process.execPath, [fileOf(tool), ...args], options);
}

/**
 * Runs a program to its end and gives its exit code; 1 when it was killed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>}
 */
export function exitOf(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
