import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putInPlace } from '../../scripts/build.mjs';
import { hashOfSources, stateOfBuild } from '../../scripts/sources.mjs';

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'lobby-build-'));
  write('bot/main.ts', 'main');
  write('knowledge/articles/lost-card.en.md', 'Call us.');
  write('web/chat/main.tsx', 'page');
  write('package-lock.json', '{}');
});

afterEach(() => rmSync(project, { recursive: true }));

describe('the state of the build', () => {
  it('is absent before the first build', () => {
    expect(stateOfBuild(project)).toBe('absent');
  });

  it('is current after a build', () => {
    buildNow();
    expect(stateOfBuild(project)).toBe('current');
  });

  it.each([
    ['a changed source', 'bot/main.ts'],
    ['a changed article', 'knowledge/articles/lost-card.en.md'],
    ['a changed page', 'web/chat/main.tsx'],
    ['another version of a package', 'package-lock.json'],
    ['a new file', 'record/cases.ts'],
  ])('is stale after %s', (_change, file) => {
    buildNow();
    write(file, 'changed');
    expect(stateOfBuild(project)).toBe('stale');
  });

  it('is stale when a file is merged into the one before it', () => {
    write('bot/a.ts', 'one');
    write('bot/b.ts', 'two');
    buildNow();
    write('bot/a.ts', 'onebot/b.tstwo');
    rmSync(join(project, 'bot', 'b.ts'));
    expect(stateOfBuild(project)).toBe('stale');
  });

  it('stays current whatever changes in tests, documents and data', () => {
    buildNow();
    write('tests/bot/turn.test.ts', 'test');
    write('README.md', 'words');
    write('data/postgres/PG_VERSION', '18');
    expect(stateOfBuild(project)).toBe('current');
  });

  it('is absent when a build was cut short', () => {
    buildNow();
    const neverStaged = join(project, 'dist', '.staged-never');
    expect(() => putInPlace(neverStaged, join(project, 'dist'), hashOfSources(project))).toThrow('ENOENT');
    expect(stateOfBuild(project)).toBe('absent');
  });

  it('is absent when the note is there and the service is not', () => {
    buildNow();
    rmSync(join(project, 'dist', 'bot'), { recursive: true });
    expect(stateOfBuild(project)).toBe('absent');
  });
});

describe('putting a build in place', () => {
  it('replaces the folders whole, so that a removed source leaves nothing behind', () => {
    buildNow();
    write('dist/bot/removed.js', 'old');
    buildNow();
    expect(existsSync(join(project, 'dist', 'bot', 'removed.js'))).toBe(false);
    expect(readFileSync(join(project, 'dist', 'bot', 'main.js'), 'utf8')).toBe('main');
  });
});

/** What `npm run build` does, without the compilers. */
function buildNow(): void {
  write('dist/.staged/bot/main.js', 'main');
  putInPlace(join(project, 'dist', '.staged'), join(project, 'dist'), hashOfSources(project));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}
