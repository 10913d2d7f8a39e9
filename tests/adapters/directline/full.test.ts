/** A message that cannot be taken now is refused at the door, over real HTTP. */

import { Agent, request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { readConversation } from '../../../record/conversations.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { newVisitor, postJson, startWebChannel, type Visitor, type WebChannel } from '../../support/web-channel.ts';

let scratch: ScratchDatabase;
let channel: WebChannel;
let visitor: Visitor;
let full: (conversationId: string) => boolean;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
beforeEach(async () => {
  full = () => false;
  channel = await startWebChannel(scratch.database, { parts: { refuses: (id) => full(id) } });
  visitor = await newVisitor(channel);
});
afterEach(() => channel.close());

it('is told when to come back, in words of the contract, and nothing is recorded', async () => {
  full = () => true;
  const { status, headers, body } = await visitor.say('hello');
  expect([status, headers.get('retry-after'), body.error.code]).toEqual([429, '2', 'busy']);
  expect(await readConversation(scratch.database, visitor.conversationId)).toEqual([]);
});

it('is asked about by its conversation: there may be room for another', async () => {
  const other = await newVisitor(channel);
  full = (conversationId) => conversationId === visitor.conversationId;
  expect([(await visitor.say('hello')).status, (await other.say('hello')).status]).toEqual([429, 200]);
});

it('is told so before anybody asks who speaks: strangers learn nothing else', async () => {
  full = () => true;
  expect((await postJson(`${visitor.address}/activities`, 'no token', { type: 'message' })).status).toBe(429);
});

it('may be read by a page of another site, which must know when to try again', async () => {
  full = () => true;
  const { headers } = await postJson(`${visitor.address}/activities`, visitor.token, {}, { origin: channel.base });
  expect(headers.get('access-control-allow-origin')).toBe(channel.base);
});

it('leaves the connection open for the next try', async () => {
  full = () => true;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = [await portOfPost(agent), await portOfPost(agent)];
  full = () => false;
  ports.push(await portOfPost(agent, 200));
  agent.destroy();
  expect(new Set(ports).size).toBe(1);
});

it('does not concern reading, or messages too long to be thrown away unread', async () => {
  full = () => true;
  expect((await visitor.poll()).status).toBe(200);
  expect((await visitor.say('x'.repeat(70_000))).status).not.toBe(429);
});

/** Posts a message over the agent's connection; resolves to the port it came from. */
function portOfPost(agent: Agent, status = 429): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${visitor.token}`, 'content-type': 'application/json' };
    const post = request(`${visitor.address}/activities`, { method: 'POST', agent, headers }, (response) => {
      const { localPort } = response.socket;
      expect(response.statusCode).toBe(status);
      response.resume().on('end', () => setImmediate(resolve, localPort));
    });
    const body = JSON.stringify({ type: 'message', text: 'hello' });
    post.setHeader('content-length', Buffer.byteLength(body));
    post.on('error', reject).end(body);
  });
}
