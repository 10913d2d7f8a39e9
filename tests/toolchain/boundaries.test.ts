import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fileOf, root } from '../../scripts/tools.mjs';

/** A scratch copy with one planted file per case, checked by Biome in one run. */
const scratch = mkdtempSync(join(tmpdir(), 'lobby-boundaries-'));

const network = 'Only adapters and bot touch the network.';

/** Where, what is imported there, and Biome's answer in our words. */
const violations: readonly (readonly [file: string, imported: string, answer: string])[] = [
  ['knowledge/a.ts', '../record/types.ts', 'knowledge/ imports nothing of ours'],
  ['knowledge/b.ts', '../bot/config.ts', 'knowledge/ imports nothing of ours'],
  ['knowledge/c.ts', 'botbuilder-core', 'knowledge/ knows no bot framework'],
  ['knowledge/d.ts', '@azure/ai-language-conversations', 'knowledge/ knows no bot framework'],
  ['knowledge/e.ts', 'node:https', network],
  ['knowledge/deep/er/f.ts', '../../../adapters/channel.ts', 'knowledge/ imports nothing of ours'],
  ['record/a.ts', '../knowledge/types.ts', 'record/ imports nothing of ours'],
  ['record/b.ts', '../adapters/channel.ts', 'record/ imports nothing of ours'],
  ['record/c.ts', 'pg', 'record/ speaks to the Database port'],
  ['record/d.ts', 'botbuilder', 'record/ speaks to the Database port'],
  ['record/e.ts', 'node:net', network],
  ['dialogs/a.ts', '../bot/turn.ts', 'dialogs/ import knowledge/ and record/ only'],
  ['dialogs/strings/b.ts', '../../adapters/channel.ts', 'dialogs/ import knowledge/ and record/ only'],
  ['dialogs/c.ts', '../web/contract.ts', 'dialogs/ import knowledge/ and record/ only'],
  ['dialogs/d.ts', 'restify', 'dialogs/ know no HTTP server'],
  ['dialogs/e.ts', 'ws', network],
  ['adapters/directline/a.ts', '../../bot/turn.ts', 'adapters/ never import bot/, dialogs/ or web/'],
  ['adapters/directline/b.ts', '../../dialogs/turn.ts', 'adapters/ never import bot/, dialogs/ or web/'],
  ['adapters/directline/c.ts', '../../web/contract.ts', 'adapters/ never import bot/, dialogs/ or web/'],
  ['adapters/directline/d.ts', '../../record/conversations.ts', 'adapters/ see the port types only'],
  ['adapters/clu/e.ts', '../../knowledge/search.ts', 'adapters/ see the port types only'],
  ...['bot-framework', 'clu', 'core-bank', 'directline', 'postgres', 'redis', 'wechat'].map(
    (other) => [`adapters/mail/${other}.ts`, `../${other}/index.ts`, 'adapters never import each other'] as const,
  ),
  ['bot/a.ts', '../web/chat/main.tsx', 'bot/ shares web/contract.ts with the pages'],
  ['bot/routes/b.ts', '../../tests/support/database.ts', 'The service never imports tests/'],
  ['web/chat/a.ts', '../../bot/config.ts', 'web/ imports web/ only'],
  ['web/chat/b.ts', '../../record/types.ts', 'web/ imports web/ only'],
  ['web/shared/c.ts', 'node:fs', "web/ runs in the customer's browser"],
];

/** Imports that the architecture wants. */
const allowed: readonly (readonly [file: string, imported: string])[] = [
  ['knowledge/ok.ts', './types.ts'],
  ['knowledge/ok2.ts', 'zod'],
  ['record/ok.ts', './types.ts'],
  ['dialogs/ok.ts', '../knowledge/search.ts'],
  ['dialogs/ok2.ts', '../record/types.ts'],
  ['dialogs/ok3.ts', 'botbuilder-dialogs'],
  ['adapters/directline/ok.ts', '../channel.ts'],
  ['adapters/directline/ok2.ts', '../../record/types.ts'],
  ['adapters/directline/ok3.ts', '../../knowledge/types.ts'],
  ['adapters/directline/ok4.ts', './routes.ts'],
  ['bot/ok.ts', '../adapters/directline/routes.ts'],
  ['bot/routes/ok.ts', '../../web/contract.ts'],
  ['bot/ok2.ts', '../dialogs/main-dialog.ts'],
  ['web/chat/ok.ts', '../contract.ts'],
  ['tests/bot/ok.ts', '../../web/contract.ts'],
];

const others: readonly (readonly [file: string, code: string, rule: string])[] = [
  ['knowledge/fetches.ts', "export const page = fetch('https://bank.example');", 'noRestrictedGlobals'],
  ['record/reads-env.ts', 'export const url = process.env.DATABASE_URL;', 'noProcessEnv'],
  ['bot/reads-env.ts', 'export const url = process.env.DATABASE_URL;', 'noProcessEnv'],
  ['record/imports-late.ts', "export const driver = import('pg');", 'noRestrictedImports'],
  ['dialogs/passes-on.ts', "export * from '../bot/turn.ts';", 'noRestrictedImports'],
  ['adapters/directline/prints.ts', 'console.log(1);', 'noConsole'],
];

let findings: ReadonlyMap<string, readonly string[]>;

beforeAll(async () => {
  cpSync(join(root, 'biome.json'), join(scratch, 'biome.json'));
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  for (const [file, imported] of [...violations, ...allowed]) plant(file, `import '${imported}';`);
  for (const [file, code] of others) plant(file, code);
  findings = await lint(scratch);
}, 30_000);

afterAll(() => rmSync(scratch, { recursive: true }));

describe('an import against the architecture is an error with our own message', () => {
  it.each(violations)('%s importing %s', (file, _imported, answer) => {
    expect(findings.get(file)).toEqual([expect.stringContaining(answer)]);
  });
});

describe('an import the architecture wants is none', () => {
  it.each(allowed)('%s importing %s', (file) => {
    expect(findings.get(file)).toBeUndefined();
  });
});

describe('and an error is, too', () => {
  it.each(others)('%s: %s', (file, _code, rule) => {
    expect(findings.get(file)).toEqual([expect.stringContaining(rule)]);
  });
});

function plant(file: string, code: string): void {
  mkdirSync(join(scratch, dirname(file)), { recursive: true });
  writeFileSync(join(scratch, file), `${code}\n`);
}

const Diagnostics = z.object({
  diagnostics: z.array(
    z.looseObject({
      severity: z.string(),
      location: z.looseObject({ path: z.string() }),
    }),
  ),
});

/** Errors by file, each as everything Biome says of it. */
async function lint(folder: string): Promise<Map<string, string[]>> {
  const args = [fileOf('biome'), 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }).catch(
    (error: { stdout: string }) => error,
  );
  const found = new Map<string, string[]>();
  for (const diagnostic of Diagnostics.parse(JSON.parse(stdout)).diagnostics) {
    if (diagnostic.severity !== 'error') continue;
    const { path } = diagnostic.location;
    found.set(path, [...(found.get(path) ?? []), JSON.stringify(diagnostic)]);
  }
  return found;
}
