/** Which licences a bank can ship without sharing its own code. */

import type { RuntimePackage } from './runtime-packages.ts';

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
]);

/** Packages whose package.json names no licence, with what a person read in them. */
const readByAPerson = new Map([['escape-regexp-component@1.0.2', 'MIT']]);

interface Refused {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** The packages under no licence, or under one that is not allowed. */
export function refusedPackages(packages: readonly RuntimePackage[]): Refused[] {
  return packages
    .map((item) => ({ name: fullName(item), version: item.version, licence: licenceOf(item) }))
    .filter(({ licence }) => !isAllowed(licence));
}

function licenceOf(item: RuntimePackage): string {
  const stated = item.licenses.map((one) =>
    'expression' in one ? one.expression : (one.license.id ?? one.license.name),
  );
  return stated.join(' AND ') || readByAPerson.get(`${fullName(item)}@${item.version}`) || 'no licence stated';
}

function fullName({ group, name }: RuntimePackage): string {
  return group ? `${group}/${name}` : name;
}

/** An SPDX expression of names, AND and OR: AND binds closer, one allowed choice of an OR suffices. */
function isAllowed(expression: string): boolean {
  const flat = expression.replace(/^\((.*)\)$/, '$1');
  return flat.split(' OR ').some((choice) => choice.split(' AND ').every((name) => allowed.has(name.trim())));
}
