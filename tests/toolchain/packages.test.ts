import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refusedPackages } from '../../scripts/licence-policy.ts';
import { root } from '../../scripts/tools.mjs';

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string(),
      dependencies: z.record(z.string(), z.string()).default({}),
      optionalDependencies: z.record(z.string(), z.string()).default({}),
      hasInstallScript: z.boolean().default(false),
      optional: z.boolean().default(false),
    }),
  ),
});

const Manifest = z.object({
  scripts: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
});

const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
const { packages } = Lock.parse(JSON.parse(lockText));
const manifest = Manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

describe('the lockfile', () => {
  it('names no registry: a bank installs from its own', () => {
    expect(lockText).not.toMatch(/"resolved":|registry\./);
  });

  it('has every package that another one asks for, on every platform, or npm ci would refuse it', () => {
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => !isReachable(path, name))
        .map((name) => `${path} asks for ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('package.json', () => {
  it('pins every package to one version', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it('says of every install script by name whether it may run', () => {
    const withScript = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript);
    const names = withScript
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
      .filter((name) => name !== 'fsevents');
    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(names)].sort());
  });

  it('brings rimraf at run time, which an older npm needs for botbuilder-dialogs’ install script', () => {
    expect(manifest.dependencies).toHaveProperty('rimraf');
  });

  it('has one copy of the number recognizer, so that refusing that install script changes nothing', () => {
    const copies = Object.keys(packages).filter((path) => path.endsWith('/@microsoft/recognizers-text-number'));
    expect(copies).toEqual(['node_modules/@microsoft/recognizers-text-number']);
  });
});

describe('a licence', () => {
  const named = (id: string) => [{ name: 'some-package', version: '1.0.0', licenses: [{ license: { id } }] }];
  const expressed = (expression: string) => [{ name: 'some-package', version: '1.0.0', licenses: [{ expression }] }];

  it.each(['MIT', 'Apache-2.0', 'ISC', 'PostgreSQL'])('%s is allowed', (id) => {
    expect(refusedPackages(named(id))).toEqual([]);
  });

  it.each(['GPL-3.0-only', 'AGPL-3.0', 'SSPL-1.0', 'UNLICENSED'])('%s is refused', (id) => {
    expect(refusedPackages(named(id))).toEqual([{ name: 'some-package', version: '1.0.0', licence: id }]);
  });

  it('of choice is allowed when one choice is', () => {
    expect(refusedPackages(expressed('(AFL-2.1 OR BSD-3-Clause)'))).toEqual([]);
    expect(refusedPackages(expressed('(GPL-2.0 OR AGPL-3.0)'))).toHaveLength(1);
    expect(refusedPackages(expressed('MIT AND GPL-2.0'))).toHaveLength(1);
  });

  it('that is not stated is refused', () => {
    expect(refusedPackages([{ name: 'some-package', version: '1.0.0', licenses: [] }])).toHaveLength(1);
  });
});

/** As Node looks a package up: beside the asking one, then ever further out. */
function isReachable(from: string, name: string): boolean {
  const beside = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[beside] !== undefined) return true;
  if (from === '') return false;
  const out = from.lastIndexOf('/node_modules/');
  return isReachable(out < 0 ? '' : from.slice(0, out), name);
}
