/** One measured window: many clients, each doing one thing after another, first to warm up and then to be counted. */

import { percentile } from './figures.ts';
import { announce } from './ipc.ts';

/** How long, and how many at once. */
export interface WindowSize {
  readonly clients: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

/** What was counted. Times are in milliseconds. */
export interface Counted {
  readonly turns: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Everything that ran, warming up and the last ones included. */
  readonly ran: number;
}

/** What each client does, over and over. `n` counts from 1 over all clients; `done` is called with what went wrong, or null. */
export type Step = (client: number, n: number, done: (wrong: string | null) => void) => void;

/**
 * Runs the window, announcing `measuring` when counting begins and `measured` when it ends.
 * Callbacks, not promises: the load shares its cores with what it measures. One wrong answer fails the window.
 */
export function runWindow({ clients, warmSeconds, seconds }: WindowSize, step: Step): Promise<Counted> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    let phase: 'warm' | 'measure' | 'over' = 'warm';
    let ran = 0;
    let active = clients;
    let begunAt = 0;
    let elapsed = 0;

    const next = (client: number): void => {
      ran += 1;
      const sentAt = performance.now();
      step(client, ran, (wrong) => {
        if (wrong !== null) {
          phase = 'over';
          reject(new Error(`A wrong answer: ${wrong}`));
          return;
        }
        if (phase === 'measure') latencies.push(performance.now() - sentAt);
        if (phase !== 'over') next(client);
        else {
          active -= 1;
          if (active === 0) resolve(summary(latencies, elapsed, ran));
        }
      });
    };

    setTimeout(() => {
      phase = 'measure';
      begunAt = performance.now();
      announce('measuring');
      setTimeout(() => {
        phase = 'over';
        elapsed = performance.now() - begunAt;
        announce('measured');
      }, seconds * 1_000);
    }, warmSeconds * 1_000);
    for (let client = 0; client < clients; client += 1) next(client);
  });
}

function summary(latencies: readonly number[], elapsedMs: number, ran: number): Counted {
  const sorted = Float64Array.from(latencies).sort();
  const turns = sorted.length;
  return {
    turns,
    perSecond: (turns / elapsedMs) * 1_000,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    ran,
  };
}
