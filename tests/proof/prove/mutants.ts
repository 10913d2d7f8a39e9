/** `npm run prove -- --mutants`: defects planted on purpose, of which the simulation and the races must notice every one. */

import { rm } from 'node:fs/promises';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { type Hunt, huntAll } from '../mutants/mutants.ts';
import { makeFolder } from './folder.ts';
import { migrateRecord, type ProvenPostgres, startPostgres } from './postgres.ts';

type Scratch = Awaited<ReturnType<Parameters<typeof huntAll>[0]>>;

/** Hunts all of them on a server of its own. `keep` is given what ends it. Resolves to how many survived. */
export async function huntMutants(
  say: (line: string) => void,
  keep: (end: () => Promise<void>) => void,
): Promise<number> {
  const folder = await makeFolder();
  const postgres = await startPostgres(folder);
  keep(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await migrateRecord(await postgres.makeDatabase('mutant_template'));
  let count = 0;
  const openScratch = (): Promise<Scratch> => {
    count += 1;
    return scratchOn(postgres, `mutant_${count}`);
  };
  const hunts = await huntAll(openScratch, (hunt) => say(inWords(hunt)));
  const survived = hunts.filter(({ broke }) => broke === null).length;
  say(`\n${hunts.length} seeded defects, ${hunts.length - survived} caught, ${survived} survived`);
  return survived;
}

async function scratchOn(postgres: ProvenPostgres, name: string): Promise<Scratch> {
  const connectionString = await postgres.makeDatabase(name, 'mutant_template');
  const pools: PostgresDatabase[] = [];
  const open: Scratch['open'] = async (settings = {}) => {
    const pool = await openDatabase({ connectionString, max: 5, ...settings });
    pools.push(pool);
    return pool;
  };
  return {
    database: await open(),
    open,
    async drop() {
      await Promise.all(pools.map((pool) => pool.close()));
      await postgres.dropDatabase(name);
    },
  };
}

function inWords({ name, by, broke, tries, ms }: Hunt): string {
  const fate = broke === null ? 'SURVIVED' : `caught by the ${by} in ${(ms / 1_000).toFixed(1)} s, try ${tries}`;
  return `${name}: ${fate}${broke === null ? '' : `: ${broke}`}`;
}
