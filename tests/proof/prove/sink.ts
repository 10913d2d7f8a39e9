/** An outside channel as the bank sees it: takes every message posted to it, and remembers in which order. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Delivery } from './evidence.ts';

export interface Sink {
  readonly port: number;
  /** In the order of arrival. */
  readonly deliveries: readonly Delivery[];
  close(): Promise<void>;
}

/** `keyOf` turns the id of the message that is answered into its key. */
export async function openSink(keyOf: (id: string) => string): Promise<Sink> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    readAll(request).then(
      (text) => {
        // /v3/conversations/{thread}/activities/{id of the message that is answered}
        const [, , , thread = '', , id = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
        deliveries.push({ thread, key: keyOf(id), text: (JSON.parse(text) as { text?: string }).text ?? '' });
        response.writeHead(200, { 'content-type': 'application/json' }).end(`{"id":"wire-${deliveries.length}"}`);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    deliveries,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Rejects when the sender went away before the end: then nothing arrived. */
async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (!request.complete) throw new Error('Cut short.');
  return Buffer.concat(chunks).toString('utf8');
}
