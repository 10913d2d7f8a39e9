/** The route of the pages, over real HTTP: what a browser may do with them, and how little it has to load. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { createServer, type Server } from 'restify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountPages } from '../../../bot/routes/pages.ts';

const SCRIPT = 'console.log("chat");'.repeat(100);
let folder: string;
let server: Server;
let port: number;

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET', at = port): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: at, path, method, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on('error', reject).end();
  });
}

async function listen(on: Server): Promise<number> {
  await new Promise<void>((resolve) => on.listen(0, '127.0.0.1', resolve));
  return (on.address() as AddressInfo).port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lobby-pages-test-'));
  for (const name of ['chat', 'start', 'assets']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'chat/index.html'), '<title>chat</title>');
  await writeFile(join(folder, 'start/index.html'), '<title>start</title>');
  await writeFile(join(folder, 'embed.js'), 'void 0;');
  await writeFile(join(folder, 'assets/chat-abc.js'), SCRIPT);
  await writeFile(join(folder, 'assets/chat-abc.js.gz'), gzipSync(SCRIPT));
  await writeFile(join(folder, 'assets/chat-abc.js.br'), brotliCompressSync(SCRIPT));
  await writeFile(join(folder, 'secret.env'), 'KEY=1');
  server = createServer();
  mountPages(server, { folder, origins: ['https://www.bank.example', 'https://m.bank.example'] });
  port = await listen(server);
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

describe('the pages', () => {
  test.each([
    ['/', 'start'],
    ['/chat', 'chat'],
    ['/chat?lang=en', 'chat'],
  ])('%s is the %s page, asked for anew each time', async (path, title) => {
    const { status, headers, body } = await ask(path);
    expect(status).toBe(200);
    expect(body.toString()).toBe(`<title>${title}</title>`);
    expect(headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' });
  });

  test('allow only what Lobby itself serves, and nothing inline', async () => {
    const policy = String((await ask('/chat')).headers['content-security-policy']);
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
    ]) {
      expect(policy).toContain(part);
    }
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect((await ask('/')).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  test('are shown in no frame, but for the chat in those of the bank’s sites', async () => {
    for (const path of ['/', '/chat', '/chat?embed=0']) {
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['x-frame-options']).toBe('DENY');
    }
    const { headers } = await ask('/chat?embed=1');
    expect(headers['content-security-policy']).toContain(
      "frame-ancestors 'self' https://www.bank.example https://m.bank.example",
    );
    expect(headers['x-frame-options']).toBeUndefined();
  });

  test('are not sent again to a browser that has them', async () => {
    const etag = String((await ask('/chat')).headers.etag);
    const again = await ask('/chat', { 'if-none-match': `W/${etag}, "other"` });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
    expect((await ask('/chat', { 'if-none-match': '"older"' })).status).toBe(200);
  });

  test('have a head without a body', async () => {
    const { status, headers, body } = await ask('/chat', {}, 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, '19', 0]);
  });
});

describe('a hashed file', () => {
  test.each([
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['', undefined],
    ['zstd', undefined],
  ])('for a browser that reads %j comes as %s', async (accepted, encoding) => {
    const { headers } = await ask('/assets/chat-abc.js', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toContain('accept-encoding');
  });

  test('is whole, and kept for ever', async () => {
    const { headers, body } = await ask('/assets/chat-abc.js', { 'accept-encoding': 'br' });
    expect(brotliDecompressSync(body).toString()).toBe(SCRIPT);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  test('has a mark of its own in each encoding', async () => {
    const plain = await ask('/assets/chat-abc.js');
    const packed = await ask('/assets/chat-abc.js', { 'accept-encoding': 'br' });
    expect(plain.headers.etag).not.toBe(packed.headers.etag);
  });

  test.each([
    '/assets/gone.js',
    '/assets/../secret.env',
    '/assets/..%2fsecret.env',
    '/assets/%2e%2e/secret.env',
    '/assets/',
    '/assets/chat-abc.js.br',
  ])('that is none of the build’s, as %s, is not there', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body.toString()).not.toContain('KEY=1');
  });
});

test('the script for the bank’s pages may be loaded by another site', async () => {
  const { status, headers } = await ask('/embed.js');
  expect(status).toBe(200);
  expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
  expect(headers['cache-control']).toBe('public, max-age=300');
});

test('pages that were not built are said to be missing, with what to do', async () => {
  const bare = createServer();
  mountPages(bare, { folder: join(folder, 'nowhere'), origins: [] });
  const at = await listen(bare);
  const { status, body } = await ask('/chat', {}, 'GET', at);
  bare.close();
  expect(status).toBe(503);
  expect(JSON.parse(body.toString())).toEqual({
    error: { code: 'pages_missing', message: 'The pages are not built. Run: npm run build' },
  });
});
