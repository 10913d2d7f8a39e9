/** What every route shares: bodies within bounds, JSON the record can keep, and who is calling. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import restify from 'restify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CodedError } from '../../adapters/channel.ts';
import {
  addressKey,
  answerError,
  answerJson,
  bearerOf,
  clientAddress,
  ownOrigin,
  parseJson,
  readJson,
  refusalOf,
  speakContract,
  trustProxies,
  whatIsWrong,
} from '../../adapters/http.ts';

const json = (text: string): unknown => parseJson(Buffer.from(text));
const refusal = (text: string | Buffer): { status: number; code: string } => {
  try {
    parseJson(Buffer.from(text));
  } catch (error) {
    return { status: refusalOf(error)?.status ?? 500, code: (error as CodedError).code };
  }
  throw new Error('It was accepted.');
};

describe('JSON from outside', () => {
  it('is parsed when the record can keep it', () => {
    expect(json('{"a":[1,"转人工 🙂","\\ud83d\\ude42"]}')).toEqual({ a: [1, '转人工 🙂', '🙂'] });
  });

  it.each([
    ['NUL in a text', '{"a":"\\u0000"}', 'bad_characters'],
    ['NUL in a key', '{"\\u0000":1}', 'bad_characters'],
    ['half a surrogate pair', '{"a":["\\ud83d"]}', 'bad_characters'],
    ['a pair the wrong way round', '{"a":"\\ude42\\ud83d"}', 'bad_characters'],
    ['__proto__ as a key', '{"a":{"__proto__":{"admin":true}}}', 'bad_key'],
    ['__proto__ in disguise', '{"\\u005f_proto__":1}', 'bad_key'],
    ['something else than JSON', '{"a":', 'not_json'],
    ['a raw NUL', '{"a":"\0"}', 'not_json'],
    ['nothing but blanks', '  ', 'not_json'],
    ['nesting beyond 32 levels', '['.repeat(33) + ']'.repeat(33), 'too_deep'],
  ])('is refused with %s', (_what, text, code) => {
    expect(refusal(text)).toEqual({ status: 400, code });
  });

  it('is refused when it is not UTF-8', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ status: 400, code: 'not_utf8' });
  });

  it('may nest 32 levels, and hold brackets in its texts', () => {
    expect(() => json('['.repeat(32) + ']'.repeat(32))).not.toThrow();
    expect(json(`{"a":"${'['.repeat(100)}\\"${'{'.repeat(100)}"}`)).toBeTruthy();
  });
});

describe('a body', () => {
  const server = createServer((request, response) => {
    readJson(request, { bytes: 1024, milliseconds: 300 }).then(
      (value) => answerJson(response, 200, { value: value ?? null }),
      (error: unknown) => answerError(request, response, error),
    );
  });
  let address = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const post = async (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/json' };
    const answer = await fetch(address, {
      method: 'POST',
      body,
      headers: { ...type, ...headers },
      duplex: 'half',
    } as RequestInit);
    return { status: answer.status, body: (await answer.json()) as { error?: { code: string; message: string } } };
  };

  it('is read when it is whole and small enough', async () => {
    expect(await post('{"a":1}')).toEqual({ status: 200, body: { value: { a: 1 } } });
  });

  it('may be left out', async () => {
    const answer = await fetch(address, { method: 'POST' });
    expect(await answer.json()).toEqual({ value: null });
  });

  it('is refused with 413 when it says, or turns out, to be too large', async () => {
    expect((await post(`"${'x'.repeat(2000)}"`)).status).toBe(413);
    const pieces = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 8; index += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(500)));
        controller.close();
      },
    });
    expect((await post(pieces)).body.error?.code).toBe('too_large');
  });

  it('is refused with 415 when compressed, broken or not, and when it is no JSON', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    expect((await post(gzipSync('{}'), gzip)).status).toBe(415);
    expect((await post('not gzip at all', gzip)).status).toBe(415);
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=gbk' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
  });

  it('is given up with 408 when it does not arrive', async () => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"');
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"too_slow"');
    socket.destroy();
  });

  it('whose sender hangs up harms nobody', async () => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await post('{}')).status).toBe(200);
  });
});

describe('a server that speaks the contract', () => {
  const server = restify.createServer();
  speakContract(server);
  server.server.headersTimeout = 300;
  server.get('/here', (_request, response, next) => {
    response.send(200, {});
    next();
  });
  let port = 0;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = server.address().port;
  });
  afterAll(() => {
    server.server.closeAllConnections();
    server.close();
  });

  const send = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (data) => {
        answer += String(data);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
      socket.write(bytes);
    });
  const close = 'Connection: close\r\n\r\n';

  it.each([
    ['an unknown address', `GET /nowhere HTTP/1.1\r\nHost: x\r\n${close}`, 404, 'unknown_address'],
    ['a wrong method', `PUT /here HTTP/1.1\r\nHost: x\r\n${close}`, 405, 'wrong_method'],
    ['a Host that is none', `GET /here HTTP/1.1\r\nHost: a b"<c>\r\n${close}`, 400, 'bad_host'],
    ['no Host', `GET /here HTTP/1.1\r\n${close}`, 400, 'bad_host'],
    ['an address that is none', `GET http://[ HTTP/1.1\r\nHost: x\r\n${close}`, 400, 'bad_host'],
    ['no HTTP', 'noise\r\n\r\n', 400, 'not_http'],
    ['headers without end', `GET /here HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['an odd expectation', `GET /here HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n${close}`, 417, 'expectation'],
    ['headers that never come', 'GET /here HTTP/1.1\r\nHost: x\r\n', 408, 'too_slow'],
  ])('refuses %s with a sentence', async (_what, bytes, status, code) => {
    const answer = await send(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
      error: { code, message: expect.stringMatching(/\.$/) },
    });
    expect(await send(`GET /here HTTP/1.1\r\nHost: x\r\n${close}`)).toMatch(/^HTTP\/1.1 200 /);
  });
});

it('what a schema refused is said in one sentence', () => {
  const shape = z.object({ a: z.object({ b: z.string().max(1, 'It is long.') }) });
  expect(whatIsWrong(shape.safeParse({ a: { b: 'xx' } }).error as z.ZodError)).toBe('a.b: It is long.');
  expect(whatIsWrong(shape.safeParse(7).error as z.ZodError)).toBe('Invalid input: expected object, received number.');
});

describe('errors', () => {
  it('of the database ask the caller to come back', () => {
    const refused = refusalOf(new CodedError('database_unavailable', 'PostgreSQL does not answer.'));
    expect(refused).toMatchObject({ status: 503, code: 'unavailable', headers: { 'retry-after': '2' } });
  });

  it('that are defects are not shown', () => {
    expect(refusalOf(new Error('secret detail'))).toBeNull();
  });
});

describe('who is calling', () => {
  const request = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage =>
    ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;
  const proxies = trustProxies(['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.7']);
  const from = (remote: string, forwarded: string): string =>
    clientAddress(request(remote, { 'x-forwarded-for': forwarded }), proxies);

  it('is the peer, whatever it writes, unless the peer is our proxy', () => {
    expect(from('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(from('::ffff:203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
  });

  it('is the nearest address behind our proxies; what stands further left is hearsay', () => {
    expect(from('10.1.2.3', '6.6.6.6, 198.51.100.1, 192.0.2.7')).toBe('198.51.100.1');
    expect(from('::ffff:10.1.2.3', '198.51.100.1:4711')).toBe('198.51.100.1');
    expect(from('2001:db8:ffff::1', '[2001:db8:1::2]:443')).toBe('2001:db8:1::2');
    expect(from('10.1.2.3', 'nonsense')).toBe('10.1.2.3');
    expect(from('10.1.2.3', '')).toBe('10.1.2.3');
  });

  it('counts one IPv6 subscriber as one', () => {
    expect(addressKey('2001:db8:1:2:aaaa::1')).toBe(addressKey('2001:0db8:1:2::99'));
    expect(addressKey('2001:db8:1:3::1')).not.toBe(addressKey('2001:db8:1:2::1'));
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('203.0.113.9')).toBe('203.0.113.9');
  });

  it('reaches us under the origin of the Host header, or of our proxy', () => {
    expect(ownOrigin(request('203.0.113.9', { host: 'chat.bank.example' }), proxies)).toBe('http://chat.bank.example');
    const proxied = { host: 'inside:3978', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.bank.example' };
    expect(ownOrigin(request('10.1.2.3', proxied), proxies)).toBe('https://chat.bank.example');
    expect(ownOrigin(request('203.0.113.9', proxied), proxies)).toBe('http://inside:3978');
    expect(() => ownOrigin(request('203.0.113.9', { host: 'a"b' }), proxies)).toThrow('Host');
  });

  it('shows its token in the Authorization header', () => {
    expect(bearerOf(request('', { authorization: 'Bearer abc' }))).toBe('abc');
    expect(bearerOf(request('', { authorization: 'Basic abc' }))).toBeNull();
    expect(bearerOf(request(''))).toBeNull();
  });
});
