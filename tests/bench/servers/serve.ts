/** What all measured servers share: they start when told, say what they have used, and stop. */

import { writeFile } from 'node:fs/promises';
import { type Profiler, Session } from 'node:inspector/promises';
import { answer } from '../ipc.ts';
import { memory } from '../memory.ts';
import { countRoundTrips, statementCounts, usage } from '../usage.ts';

/** What a server is given. */
export interface ServerParts {
  /** An empty database of its own. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Whether it is one of several on the same database, folder and Redis. */
  readonly several: boolean;
  /** A folder of its own, or of its group. */
  readonly folder: string;
}

/** Makes this process a measured server. `start` resolves to the port it listens on. */
export function serve(start: (parts: ServerParts) => Promise<number>): void {
  const session = new Session();
  countRoundTrips();
  answer({
    start,
    usage,
    statementCounts,
    memory,
    async profile() {
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
    },
    async profiled(file: string) {
      const { profile } = (await session.post('Profiler.stop')) as { profile: Profiler.Profile };
      session.disconnect();
      await writeFile(file, JSON.stringify(profile));
    },
  });
}
