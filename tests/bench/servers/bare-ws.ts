/** Baseline of the sockets: the ws library as Lobby sets it up, keeping every socket and doing nothing with it. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { serve } from './serve.ts';

serve(async () => {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 256 * 1024,
    perMessageDeflate: false,
  });
  const open = new Set<WebSocket>();
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      open.add(opened);
      opened.on('close', () => open.delete(opened));
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
});
