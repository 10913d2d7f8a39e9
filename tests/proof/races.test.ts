/** The promises of the turn where races are real: several instances on one PostgreSQL. */

import { describe, expect, it } from 'vitest';
import { scratchDatabase } from '../support/database.ts';
import { run } from './races/bank.ts';
import { races } from './races/races.ts';

describe('several instances on one PostgreSQL', () => {
  it.each(Object.entries(races))('keep every promise: %s', async (_, race) => {
    expect(await run(race, await scratchDatabase())).toEqual([]);
  });
});
