/** What no decent client sends is refused with a sentence, and costs nobody anything. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type MalformedContext, type Result, runMalformed } from './malformed.ts';

let app: TestApp;
let context: MalformedContext;
let results: readonly Result[];

interface Issued {
  readonly token: string;
  readonly conversationId: string;
}

/** A visitor as the chat page is one: a token, and a conversation that has begun. */
async function visitor(): Promise<Issued> {
  const issued = await postJson<Issued>('/api/chat/token', {});
  await postJson('/v3/directline/conversations', {}, issued.token);
  return issued;
}

async function postJson<T>(path: string, body: unknown, token?: string): Promise<T> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(new URL(path, app.base), { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
  return (await answer.json()) as T;
}

const say = (text: string) =>
  postJson(
    `/v3/directline/conversations/${context.conversationId}/activities`,
    { type: 'message', text },
    context.token,
  );

async function said(): Promise<readonly string[]> {
  const address = new URL(`/v3/directline/conversations/${context.conversationId}/activities`, app.base);
  const answer = await fetch(address, { headers: { authorization: `Bearer ${context.token}` } });
  const { activities } = (await answer.json()) as { activities: { from: { role: string }; text: string }[] };
  return activities.filter(({ from }) => from.role === 'user').map(({ text }) => text);
}

beforeAll(async () => {
  app = await startTestApp();
  const [own, other] = [await visitor(), await visitor()];
  context = { ...own, otherToken: other.token, otherConversationId: other.conversationId };
  await say('before');
  results = await runMalformed(app.base, context);
}, 90_000);
afterAll(() => app.close());

const failing = (problem: (result: Result) => boolean) =>
  results.filter(problem).map(({ name, status, body }) => ({ name, status, body }));

describe('a malformed request', () => {
  it('is one of more than 120 that were tried', () => {
    expect(results.length).toBeGreaterThanOrEqual(120);
    expect(new Set(results.map(({ name }) => name)).size).toBe(results.length);
  });

  it('is answered with the status it deserves and a sentence in the contract’s shape', () => {
    expect(results.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))).toEqual([]);
  });

  it('never brings out a defect', () => {
    expect(failing(({ status }) => status !== null && (status < 400 || status >= 500))).toEqual([]);
  });

  it('never leaves the caller waiting', () => {
    expect(failing(({ hung }) => hung)).toEqual([]);
  });

  it('leaves nothing in the record, and the next message is answered as ever', async () => {
    await say('after');
    expect(await said()).toEqual(['before', 'after']);
    expect((await fetch(new URL('/livez', app.base))).status).toBe(200);
  });
});
