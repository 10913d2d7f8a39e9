/** Every seeded defect and the hunt for it: one that nobody notices means that the proof proves nothing there. */

import fc from 'fast-check';
import { run, type Scratch } from '../races/bank.ts';
import { races } from '../races/races.ts';
import type { Defect } from '../simulation/instance.ts';
import { scenarios } from '../simulation/scenario.ts';
import { play } from '../simulation/world.ts';
import { type Planted, planted } from './planted.ts';
import { simulated } from './simulated.ts';

/** How a defect was noticed, or that it was not. */
export interface Hunt {
  readonly name: string;
  readonly by: 'simulation' | 'race';
  /** The first promise it broke; null when it survived. */
  readonly broke: string | null;
  /** Days simulated, or times the race was run. */
  readonly tries: number;
  readonly ms: number;
}

/** A seeded defect. */
export interface Mutant {
  readonly name: string;
  readonly by: Hunt['by'];
  /** `openScratch` makes a migrated database without rows; only races need one. */
  hunt(openScratch: () => Promise<Scratch>): Promise<Hunt>;
}

/** The longest a defect may live. */
export const WITHIN_MS = 10_000;
/** All defects are hunted on the same days, which are well without them. */
export const SEED = 1;
export const MOST_DAYS = 2_000;

/** All of them. */
export const mutants: readonly Mutant[] = [
  ...Object.entries(simulated).map(([name, defect]) => ({
    name,
    by: 'simulation' as const,
    hunt: () => huntInSimulation(name, defect),
  })),
  ...Object.entries(planted).map(([name, defect]) => ({
    name,
    by: 'race' as const,
    hunt: (openScratch: () => Promise<Scratch>) => huntInRaces(name, defect, openScratch),
  })),
];

/** Hunts all of them one after another, for `npm run prove -- --mutants`. */
export async function huntAll(
  openScratch: () => Promise<Scratch>,
  told: (hunt: Hunt) => void,
): Promise<readonly Hunt[]> {
  const hunts: Hunt[] = [];
  for (const mutant of mutants) {
    const hunt = await mutant.hunt(openScratch);
    told(hunt);
    hunts.push(hunt);
  }
  return hunts;
}

/** The days of the hunt with nothing planted: the first broken promise, or null. */
export async function playWell(days: number): Promise<string | null> {
  for (const scenario of fc.sample(scenarios, { numRuns: days, seed: SEED })) {
    const { violations } = await play(scenario);
    if (violations[0] !== undefined) return violations[0];
  }
  return null;
}

async function huntInSimulation(name: string, defect: Defect): Promise<Hunt> {
  const began = performance.now();
  const past = (): number => performance.now() - began;
  let tries = 0;
  for (const scenario of fc.sample(scenarios, { numRuns: MOST_DAYS, seed: SEED })) {
    if (past() > WITHIN_MS) break;
    tries += 1;
    const { violations } = await play(scenario, defect);
    const [broke] = violations;
    if (broke !== undefined) return { name, by: 'simulation', broke, tries, ms: past() };
  }
  return { name, by: 'simulation', broke: null, tries, ms: past() };
}

async function huntInRaces(
  name: string,
  { spoil, race: raceName }: Planted,
  openScratch: () => Promise<Scratch>,
): Promise<Hunt> {
  const race = races[raceName];
  if (!race) throw new Error(`There is no race called ${raceName}.`);
  const began = performance.now();
  const past = (): number => performance.now() - began;
  let tries = 0;
  while (past() < WITHIN_MS) {
    tries += 1;
    const [broke] = await run(race, await openScratch(), spoil);
    if (broke !== undefined) return { name, by: 'race', broke, tries, ms: past() };
  }
  return { name, by: 'race', broke: null, tries, ms: past() };
}
