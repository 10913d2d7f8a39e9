/** Where a bot's replies go when they are sent to the channel's serviceUrl: it says yes and counts. */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { readMessage } from './http.ts';

const YES = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id":"r1"}');

export interface Sink {
  readonly url: string;
  /** Replies that arrived. */
  received(): number;
}

export async function openSink(): Promise<Sink> {
  let received = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    receive(socket, () => {
      received += 1;
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received: () => received };
}

function receive(socket: Socket, count: () => void): void {
  let pending: Buffer | null = null;
  socket.on('data', (chunk) => {
    const bytes: Buffer = pending ? Buffer.concat([pending, chunk]) : chunk;
    const request = readMessage(bytes);
    pending = request ? null : bytes;
    if (!request) return;
    count();
    socket.write(YES);
  });
}
