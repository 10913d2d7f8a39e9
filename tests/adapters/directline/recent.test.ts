/** The bounded memory of what was used lately. */

import { expect, it } from 'vitest';
import { Recent } from '../../../adapters/directline/recent.ts';

it('forgets what was unused for longest, and never holds more than it may', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.get('a');
  recent.set('c', 3);
  expect([recent.get('a'), recent.get('b'), recent.get('c'), recent.size]).toEqual([1, undefined, 3, 2]);
});

it('forgets on request', () => {
  const recent = new Recent<string, number>(3);
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    recent.set(key, value);
  recent.delete('a');
  recent.deleteWhere((value) => value === 2);
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([undefined, undefined, 3]);
});
