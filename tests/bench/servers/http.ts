/** A restify server as Bot Framework samples set one up, and the port it got. */

import type { AddressInfo } from 'node:net';
import restify from 'restify';

/** A server that reads JSON bodies. */
export function botServer(): restify.Server {
  const server = restify.createServer();
  server.use(restify.plugins.bodyParser());
  return server;
}

/** Listens on a free port of this machine. */
export async function listen(server: restify.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
