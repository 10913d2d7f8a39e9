/** The operator's way in: every command explains itself, and says by its exit code what became of it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../scripts/tools.mjs';
import { run } from './run.ts';

const commands = ['backup', 'restore', 'move', 'outbox'] as const;

describe.concurrent('a command', () => {
  it.each(commands)('%s explains itself, with its exit codes, and touches nothing', async (name) => {
    const { code, out, err } = await run([name, '--help'], { PORT: 'wrong' });
    expect(out).toMatch(new RegExp(`^npm run ${name} -- `));
    expect(out).toMatch(/Exit codes: 0 done; 1 not done/);
    expect([code, err]).toEqual([0, '']);
  });

  it.each<readonly [string, readonly string[], RegExp]>([
    ['nothing', [], /^Say which: backup, restore, move, outbox\./],
    ['another command', ['destroy'], /^Say which/],
    ['a backup to nowhere', ['backup'], /^--to FILE is missing\.\n\nnpm run backup/],
    ['an option without its value', ['restore', '--from'], /--from/],
    ['an option nobody knows', ['backup', '--to', 'x', '--fast'], /--fast/],
    ['a move to no database', ['move', '--to', 'https://bank.example'], /must be the address of a PostgreSQL/],
    ['an outbox without a word', ['outbox'], /^Say list, resend or cancel\./],
    ['a list of no known state', ['outbox', 'list', '--state', 'done'], /--state is one of failed, unknown, held/],
    ['a message without an id', ['outbox', 'resend'], /Name the messages/],
    ['a message by a wrong id', ['outbox', 'cancel', '7'], /7 is not the id of a message/],
  ])('is told that %s makes no sense, by exit code 64', async (_, words, says) => {
    const { code, out, err } = await run(words, {});
    expect(err).toMatch(says);
    expect([code, out]).toEqual([64, '']);
  });

  it('is stopped by wrong settings, by exit code 78 and without their secrets', async () => {
    const { code, err } = await run(['outbox', 'list'], { DATABASE_URL: 'mysql://lobby:hush@db/lobby' });
    expect(code).toBe(78);
    expect(err).toMatch(/DATABASE_URL must be an address/);
    expect(err).not.toContain('hush');
  });

  it('says in a sentence that the database is away, by exit code 1 and without its password', async () => {
    const { code, err } = await run(['outbox', 'list'], { DATABASE_URL: 'postgres://lobby:hush@127.0.0.1:1/lobby' });
    expect(code).toBe(1);
    expect(err).toMatch(/^PostgreSQL cannot be used now; nothing was done: .*ECONNREFUSED.*\.\n$/);
    expect(err).not.toContain('hush');
  });
});

describe('package.json', () => {
  it('has each command', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const name of commands) expect(scripts[name]).toBe(`node scripts/command.mjs ${name}`);
  });
});
