/** The bad network of the crash proof does what it says, and counts only what met somebody. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from './prove/random.ts';
import { FaultProxy } from './proxy.ts';

const MESSAGE = Buffer.from('0123456789'.repeat(100));

let echo: Server;
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await FaultProxy.open(new Random(7), (echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  echo.close();
});

interface Client {
  readonly socket: Socket;
  readonly received: () => Buffer;
  /** `end`, `broken`, or undefined while it is open. */
  readonly ending: () => 'end' | 'broken' | undefined;
}

async function call(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  const chunks: Buffer[] = [];
  let ending: 'end' | 'broken' | undefined;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    ending ??= 'end';
  });
  socket.on('error', () => {
    ending = 'broken';
  });
  await once(socket, 'connect');
  return { socket, received: () => Buffer.concat(chunks), ending: () => ending };
}

/** A connection that has been used once, so that both its halves are there. */
async function callAndGreet(): Promise<Client> {
  const client = await call();
  client.socket.write('hello');
  await expect.poll(() => client.received().toString()).toBe('hello');
  return client;
}

const arrived = (client: Client): boolean => client.received().equals(Buffer.concat([Buffer.from('hello'), MESSAGE]));

/** Strikes until the fault has met the one open connection: it falls on each with an even chance. */
function strikeSurely(fault: 'reset' | 'cut' | 'half-open', ms: number): void {
  while (proxy.struck[fault] === 0) proxy.strike(fault, ms);
}

describe('a bad network', () => {
  test('passes everything on while nothing is wrong, to the end', async () => {
    const client = await callAndGreet();
    client.socket.end(MESSAGE);
    await expect.poll(client.ending).toBe('end');
    expect(arrived(client)).toBe(true);
    expect(Object.values(proxy.struck)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('that stalls holds everything back, and then lets it through', async () => {
    const client = await callAndGreet();
    proxy.strike('stall', 300);
    client.socket.write(MESSAGE);
    await pause(150);
    expect(client.received().toString()).toBe('hello');
    await expect.poll(() => arrived(client)).toBe(true);
    expect(proxy.struck.stall).toBe(1);
  });

  test.each(['latency', 'drip'] as const)('with %s loses nothing and keeps the order', async (fault) => {
    const client = await callAndGreet();
    const begun = performance.now();
    proxy.strike(fault, 300);
    client.socket.write(MESSAGE);
    await expect.poll(() => arrived(client), { timeout: 5_000 }).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(15);
    expect(proxy.struck[fault]).toBe(1);
  });

  test('resets connections with what was on its way', async () => {
    const client = await callAndGreet();
    strikeSurely('reset', 0);
    await expect.poll(client.ending).toBe('broken');
  });

  test('cuts a connection in the middle of a reply', async () => {
    const client = await callAndGreet();
    strikeSurely('cut', 0);
    client.socket.write(MESSAGE);
    await expect.poll(client.ending).toBeDefined();
    expect(client.received().length).toBeLessThan(MESSAGE.length);
  });

  test('half-open tells neither side, until it resets both', async () => {
    const client = await callAndGreet();
    strikeSurely('half-open', 300);
    client.socket.write(MESSAGE);
    await pause(150);
    expect([client.received().toString(), client.ending()]).toEqual(['hello', undefined]);
    await expect.poll(client.ending).toBe('broken');
  });

  test('strikes the next connection when there is none, and counts it only then', async () => {
    proxy.strike('cut', 0);
    expect(proxy.struck.cut).toBe(0);
    const client = await call();
    client.socket.write(MESSAGE);
    await expect.poll(client.ending).toBeDefined();
    expect(client.received().length).toBeLessThan(MESSAGE.length);
    expect(proxy.struck.cut).toBe(1);
  });

  test('counts no weather that met nobody', async () => {
    proxy.strike('stall', 20);
    await pause(60);
    await callAndGreet();
    expect(proxy.struck.stall).toBe(0);
  });

  test('heals at once', async () => {
    const client = await callAndGreet();
    proxy.strike('stall', 60_000);
    client.socket.write(MESSAGE);
    await pause(50);
    proxy.heal();
    await expect.poll(() => arrived(client)).toBe(true);
  });

  test('refuses at once while nobody is behind it', async () => {
    proxy.target = 0;
    const client = await call().catch(() => null);
    if (client) await expect.poll(client.ending).toBe('broken');
  });
});
