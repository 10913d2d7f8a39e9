/** Each seeded defect must be noticed, and nothing else: the proof of the proof. */

import { afterAll, describe, expect, it } from 'vitest';
import { scratchDatabase } from '../../support/database.ts';
import { type Hunt, mutants, playWell, WITHIN_MS } from './mutants.ts';

const hunts: Hunt[] = [];

afterAll(() => {
  for (const { name, by, broke, tries, ms } of hunts) {
    console.log(
      `${broke === null ? 'SURVIVED' : 'caught'} by ${by} in ${Math.round(ms)} ms, try ${tries}: ${name} → ${broke}`,
    );
  }
});

describe('a seeded defect', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    'is noticed: %s',
    { timeout: 3 * WITHIN_MS },
    async (name, mutant) => {
      const hunt = await mutant.hunt(scratchDatabase);
      hunts.push(hunt);
      expect(hunt.broke === null ? `${name} survived` : '').toBe('');
    },
  );

  it('is what was noticed: without one, every day of the hunts is well', { timeout: 6 * WITHIN_MS }, async () => {
    const days = hunts.filter(({ by }) => by === 'simulation').map(({ tries }) => tries);
    expect(days.length).toBeGreaterThan(0);
    expect(await playWell(Math.max(...days))).toBeNull();
  });
});
