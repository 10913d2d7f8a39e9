/** A Lobby that only keeps its private PostgreSQL: started by the tests as a process of its own, to be killed. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type EmbeddedOptions, startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const options = JSON.parse(process.argv[2] ?? '') as Omit<EmbeddedOptions, 'log'>;

try {
  const server = await startEmbeddedPostgres({ ...options, log: () => {} });
  say({ started: { connectionString: server.connectionString, takenOver: server.takenOver } });
  await once(createInterface({ input: process.stdin }), 'line');
  await server.stop();
  process.exit(0);
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  say({ refused: { code, message } });
  process.exit(1);
}
