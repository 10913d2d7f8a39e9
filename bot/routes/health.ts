/** `/livez`, `/readyz` and `/metrics`: for whoever keeps Lobby running. */

import { createServer, type Server as HttpServer } from 'node:http';
import type { Registry } from 'prom-client';
import type { Server } from 'restify';
import { answerJson, comeBackLater } from '../../adapters/http.ts';
import { beat } from '../../record/instances.ts';
import type { Database } from '../../record/types.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import { route } from './route.ts';

const WRITE_WITHIN_MS = 2_000;

/** Whether this instance can do its work now. */
export interface Readiness {
  /** Resolves to null, or to the sentence that says what is missing. */
  check(): Promise<string | null>;
  /** From now on: not ready, because the service is stopping. */
  drain(): void;
}

/** Ready means that a real small write succeeds. Askers at the same moment share one write. */
export function createReadiness(database: Database, bootId: string): Readiness {
  let draining = false;
  let asking: Promise<string | null> | null = null;
  const write = async (): Promise<string | null> => {
    try {
      const written = await within(beat(database, bootId), WRITE_WITHIN_MS);
      return written !== undefined ? null : 'PostgreSQL does not take writes in time.';
    } catch {
      return 'PostgreSQL does not take writes.';
    } finally {
      asking = null;
    }
  };
  return {
    check() {
      if (draining) return Promise.resolve('The service is stopping.');
      asking ??= write();
      return asking;
    },
    drain() {
      draining = true;
    },
  };
}

export function mountHealth(server: Server, readiness: Readiness, log: Log): void {
  route(server, log, 'get', '/livez', (_request, response) => {
    answerJson(response, 200, { status: 'live' });
    return Promise.resolve();
  });
  route(server, log, 'get', '/readyz', async (_request, response) => {
    const missing = await readiness.check();
    if (missing !== null) throw comeBackLater(503, 'not_ready', missing, 5);
    answerJson(response, 200, { status: 'ready' });
  });
}

/** Metrics on the service's own port: demo mode only. */
export function mountMetrics(server: Server, registry: Registry, log: Log): void {
  route(server, log, 'get', '/metrics', async (_request, response) => {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType });
    response.end(text);
  });
}

/** Metrics on a port of their own, on loopback. */
export async function serveMetrics(port: number, registry: Registry): Promise<HttpServer> {
  const server = createServer((_request, response) => {
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}
