import { describe, expect, test } from 'vitest';
import { ask, askJson, type Trouble, troubleIn } from '../../../web/chat/http.ts';

async function troubleOf(reply: Response | Error): Promise<Trouble> {
  const http = (): Promise<Response> => (reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply));
  try {
    await ask(http, '/x', {});
  } catch (error) {
    return troubleIn(error);
  }
  throw new Error('It succeeded.');
}

describe('ask', () => {
  test.each<[number, Record<string, string>, Trouble]>([
    [401, {}, { kind: 'expired' }],
    [403, {}, { kind: 'expired' }],
    [404, {}, { kind: 'gone' }],
    [410, {}, { kind: 'gone' }],
    [429, { 'retry-after': '3' }, { kind: 'busy', waitMs: 3_000 }],
    [503, { 'retry-after': '0' }, { kind: 'busy', waitMs: 0 }],
    [503, {}, { kind: 'busy', waitMs: 5_000 }],
    [429, { 'retry-after': '86400' }, { kind: 'busy', waitMs: 60_000 }],
    [400, {}, { kind: 'refused', status: 400 }],
    [413, {}, { kind: 'refused', status: 413 }],
    [500, {}, { kind: 'network' }],
    [502, {}, { kind: 'network' }],
    [408, {}, { kind: 'network' }],
  ])('reads %i %j as %j', async (status, headers, expected) => {
    expect(await troubleOf(new Response('', { status, headers }))).toEqual(expected);
  });

  test('reads no answer at all as a network that failed', async () => {
    expect(await troubleOf(new TypeError('Failed to fetch'))).toEqual({ kind: 'network' });
  });

  test('sends JSON with the token', async () => {
    let sent: RequestInit = {};
    const http = (_url: string, init: RequestInit): Promise<Response> => {
      sent = init;
      return Promise.resolve(Response.json({ ok: true }));
    };
    expect(await askJson(http, '/x', { token: 't', body: { a: 1 } })).toEqual({ ok: true });
    expect(sent).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
    });
  });

  test('takes JSON that was cut off for no answer', async () => {
    const http = (): Promise<Response> => Promise.resolve(new Response('{"conversationId":"a'));
    const error = await askJson(http, '/x', {}).catch((cause: unknown) => cause);
    expect(troubleIn(error)).toEqual({ kind: 'network' });
  });
});
