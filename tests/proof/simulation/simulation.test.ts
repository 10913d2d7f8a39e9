/** The turn engine in thousands of simulated days: nothing lost, nothing doubled, everything in order, everything answered. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Scenario, scenarios } from './scenario.ts';
import { play } from './world.ts';

/**
 * How many days, and which. A failure prints what to set to see the same one again; more of them, and others:
 * `SIMULATION_RUNS=100000 SIMULATION_SEED=7 npx vitest run tests/proof/simulation`
 */
const RUNS = Number(process.env.SIMULATION_RUNS ?? 10_000);
const [seed = '1', ...path] = (process.env.SIMULATION_SEED ?? '1').split(':');

/** What must have happened, and in every thousand days how often at least: days on which nothing goes wrong prove nothing. */
const EXPECTED: Readonly<Record<string, number>> = {
  crash: 500,
  pause: 100,
  drain: 100,
  'database refused': 300,
  'database cut': 300,
  'database silent': 300,
  'message lost': 500,
  'message doubled': 500,
  'socket lost': 100,
  'commit conflict': 100,
  'commit duplicate': 200,
  'commit of several': 10,
  'late answer': 100,
  'timer rung': 100,
  'visit ends': 500,
  'visit goes on': 100,
  'take-over': 200,
  'staff text not_owner': 10,
};

describe('the turn engine, simulated', () => {
  it('plays the same day twice in the same way', async () => {
    for (const scenario of fc.sample(scenarios, { numRuns: 20, seed: Number(seed) })) {
      const [first, second] = [await play(scenario), await play(scenario)];
      expect([...second.seen]).toEqual([...first.seen]);
      expect(second.events).toBe(first.events);
    }
  });

  it(`keeps every promise on ${RUNS} days of crashes, pauses, and lost, late and doubled messages`, {
    timeout: 60_000 + RUNS * 12,
  }, async () => {
    const seen = new Map<string, number>();
    const started = performance.now();
    let days = 0;
    const day = fc.asyncProperty(scenarios, async (scenario) => {
      const outcome = await play(scenario);
      days += 1;
      for (const [what, times] of outcome.seen) seen.set(what, (seen.get(what) ?? 0) + times);
      if (outcome.violations.length > 0) throw new Error([...new Set(outcome.violations)].join('\n'));
    });
    const found = await fc.check(day, {
      numRuns: RUNS,
      seed: Number(seed),
      ...(path.length > 0 && { path: path.join(':') }),
    });
    expect(found.failed ? failureOf(found) : '').toBe('');
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `simulation: ${days} days, seed ${seed}, ${seconds.toFixed(1)} s, ${Math.round(days / seconds)} a second`,
    );
    if (path.length > 0) return;
    for (const [what, perThousand] of Object.entries(EXPECTED)) {
      expect((1000 * (seen.get(what) ?? 0)) / days, what).toBeGreaterThanOrEqual(perThousand);
    }
    expect([...seen.keys()].filter((what) => what.startsWith('crash at')).length).toBeGreaterThan(20);
  });
});

/** What went wrong, on which day, and how to see it again. */
function failureOf(found: fc.RunDetails<[Scenario]>): string {
  const { counterexample, counterexamplePath, errorInstance } = found;
  return [
    (errorInstance as Error).message,
    `Again: SIMULATION_SEED=${found.seed}:${counterexamplePath} npx vitest run tests/proof/simulation`,
    `After ${found.numRuns} days and ${found.numShrinks} simplifications: ${JSON.stringify(counterexample?.[0])}`,
  ].join('\n');
}
