/** `npm run check`: format, lint, import boundaries, types, promises. The first gate that fails stops the rest. `--fix` repairs what can be repaired. */

import { run, type Tool } from './tools.mjs';

interface Gate {
  readonly name: string;
  readonly tool: Tool;
  readonly args: readonly string[];
}

const fix = process.argv.includes('--fix') ? ['--write'] : [];

const gates: readonly Gate[] = [
  { name: 'format, lint and import boundaries', tool: 'biome', args: ['check', '--error-on-warnings', ...fix] },
  { name: 'types of the service and its tests', tool: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the pages', tool: 'tsc', args: ['-p', 'web/tsconfig.json'] },
  { name: 'promises', tool: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
];

for (const { name, tool, args } of gates) {
  const begun = Date.now();
  if ((await run(tool, args)) !== 0) {
    console.error(`check: ${name}: failed`);
    process.exit(1);
  }
  console.log(`check: ${name}: ok (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
}
