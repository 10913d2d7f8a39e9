/** How a route of the service is written: a handler that answers, and errors that become the contract's shape in one place. */

import type { Request, Response, Server } from 'restify';
import { answerError } from '../../adapters/http.ts';
import type { Log } from '../log.ts';

/** Answers one request. What it throws is answered for it. */
export type Handler = (request: Request, response: Response) => Promise<void>;

/** Registers a route. `path` is logged as it is written here, never as it was asked for. */
export function route(server: Server, log: Log, method: 'get' | 'post' | 'del', path: string, handler: Handler): void {
  server[method](path, async (request: Request, response: Response) => {
    try {
      await handler(request, response);
    } catch (error) {
      if (!answerError(request, response, error)) {
        log.error(
          { msg_code: 'route_defect', route: `${method} ${path}`, err: error },
          'A request failed through a defect.',
        );
      }
    }
  });
}
