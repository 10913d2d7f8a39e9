import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NUMBER } from '../turn.ts';
import { Conversation, readMessage } from './http.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers every arrival with the next of the given chunks of bytes, keeping what it was sent. */
async function answering(...answers: readonly (readonly string[])[]): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const rest = [...answers];
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      heard.push(data.toString());
      void writeSlowly(socket, rest.shift() ?? []);
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, heard };
}

async function writeSlowly(socket: Socket, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function talk(port: number, expects: string): Conversation {
  return new Conversation({ port, path: '/p', headers: { A: 'b' }, body: { id: NUMBER, text: '你好' }, expects });
}

function ask(conversation: Conversation, n: number): Promise<string | null> {
  return new Promise((resolve) => conversation.post(n, resolve));
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nyes!';

describe('the load’s HTTP client', () => {
  it('numbers its prepared request and keeps its length right', async () => {
    const { port, heard } = await answering([OK], [OK]);
    const conversation = talk(port, 'yes');
    expect([await ask(conversation, 1), await ask(conversation, 20_000)]).toEqual([null, null]);
    const [head, body] = (heard[1] ?? '').split('\r\n\r\n') as [string, string];
    expect(JSON.parse(body)).toEqual({ id: '000000020000', text: '你好' });
    expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(body)}`);
    expect(head).toContain('\r\nA: b\r\n');
    conversation.close();
  });

  it('reads an answer that arrives in pieces, and a chunked one', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nyes\r\n';
    const { port } = await answering([OK.slice(0, 20), OK.slice(20, 40), OK.slice(40)], [chunked, '0\r\n\r\n']);
    const conversation = talk(port, 'yes');
    expect([await ask(conversation, 1), await ask(conversation, 2)]).toEqual([null, null]);
    conversation.close();
  });

  it.each([
    ['a refusal', 'HTTP/1.1 429 Too Many Requests\r\nContent-Length: 3\r\n\r\nyes'],
    ['an answer that does not hold what is expected', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'],
    ['two answers to one question', `${OK}${OK}`],
  ])('calls %s wrong', async (_what, bytes) => {
    const { port } = await answering([bytes]);
    const conversation = talk(port, 'yes');
    expect(await ask(conversation, 1)).toBe(bytes);
    conversation.close();
  });

  it('calls a closed connection wrong', async () => {
    const { port } = await answering();
    const conversation = talk(port, 'yes');
    servers[0]?.on('connection', (socket) => socket.destroy());
    expect(await ask(conversation, 1)).not.toBeNull();
  });

  it('takes an answer without a body and without a length as whole', () => {
    const bytes = Buffer.from('HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n');
    expect(readMessage(bytes)).toEqual({ status: 204, bodyAt: bytes.length, end: bytes.length });
  });
});
