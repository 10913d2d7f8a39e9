/** `npm test`: what the machine must have, then check, build, unit tests and whole journeys. Each gate stops the rest. Ends with a line "N passed, N failed". */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { meetRequirements } from './requirements.ts';
import { type Count, countOf } from './test-count.ts';
import { exitOf, fileOf, root, run } from './tools.mjs';

const filters = process.argv.slice(2);
const reports = mkdtempSync(join(tmpdir(), 'lobby-tests-'));
const total: Count = { passed: 0, failed: 0 };

try {
  if (await gatesHold()) {
    for (const project of ['unit', 'e2e'] as const) {
      if (total.failed === 0) await runTests(project);
    }
    if (total.passed + total.failed === 0) fail('No test matches.');
  }
} finally {
  rmSync(reports, { recursive: true });
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function gatesHold(): Promise<boolean> {
  for (const sentence of meetRequirements()) fail(sentence);
  if (total.failed > 0) return false;
  if ((await exitOf(process.execPath, [fileOf('tsx'), 'scripts/check.ts'])) !== 0) fail('The check failed.');
  else await build(root, console.log).catch((error: Error) => fail(error.message));
  return total.failed === 0;
}

async function runTests(project: 'unit' | 'e2e'): Promise<void> {
  const report = join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const exit = await run('vitest', ['run', '--project', project, '--passWithNoTests', ...reporters, ...filters]);
  const count = countOf(readFileSync(report, 'utf8'), exit);
  total.passed += count.passed;
  total.failed += count.failed;
}

/** What fails outside a test counts as one failure, so that the last line never lies. */
function fail(sentence: string): void {
  console.error(sentence);
  total.failed += 1;
}
