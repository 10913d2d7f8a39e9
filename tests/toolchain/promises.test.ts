import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileOf, root } from '../../scripts/tools.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'lobby-promises-'));

const mistakes: Readonly<Record<string, { code: string; rule: string }>> = {
  'a send that nobody awaits': {
    code: 'export async function turn(say: (text: string) => Promise<void>) {\n  say("hello");\n}',
    rule: 'no-floating-promises',
  },
  'a promise taken for a yes': {
    code: 'export function open(isOpen: () => Promise<boolean>) {\n  return isOpen() ? 1 : 2;\n}',
    rule: 'no-misused-promises',
  },
  'an async listener of an event': {
    code: 'import { EventEmitter } from "node:events";\nnew EventEmitter().on("message", async () => {});',
    rule: 'no-misused-promises',
  },
  'an await of what is no promise': {
    code: 'export async function count() {\n  await 42;\n}',
    rule: 'await-thenable',
  },
  'a failure that escapes its catch': {
    code: 'export async function load(read: () => Promise<string>) {\n  try {\n    return read();\n  } catch {\n    return "";\n  }\n}',
    rule: 'return-await',
  },
  'a case of a union forgotten': {
    code: "export function word(state: 'open' | 'closed') {\n  switch (state) {\n    case 'open':\n      return 1;\n  }\n  return 2;\n}",
    rule: 'switch-exhaustiveness-check',
  },
};

let output = '';

beforeAll(async () => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) cpSync(join(root, file), join(scratch, file));
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  mkdirSync(join(scratch, 'bot'));
  for (const [index, { code }] of Object.values(mistakes).entries()) {
    writeFileSync(join(scratch, 'bot', `mistake-${index}.ts`), `${code}\n`);
  }
  writeFileSync(
    join(scratch, 'bot', 'right.ts'),
    'export async function turn(say: () => Promise<void>) {\n  await say();\n}\n',
  );
  const args = [fileOf('oxlint'), '--type-aware', '--format=unix'];
  ({ stdout: output } = await promisify(execFile)(process.execPath, args, { cwd: scratch }).catch(
    (error: { stdout: string }) => error,
  ));
}, 30_000);

afterAll(() => rmSync(scratch, { recursive: true }));

describe('the check finds', () => {
  it.each(Object.keys(mistakes))('%s', (mistake) => {
    const file = `mistake-${Object.keys(mistakes).indexOf(mistake)}.ts`;
    const lines = output.split('\n').filter((line) => line.includes(file));
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`\\[Error/typescript\\(${mistakes[mistake]?.rule}\\)\\]`)),
    ]);
  });

  it('nothing in code that awaits', () => {
    expect(output).not.toContain('right.ts');
  });
});
