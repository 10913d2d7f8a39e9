/** The web channel over real HTTP, on a real record and the real turn gate. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type DirectLineLimits } from '../../../adapters/directline/limits.ts';
import { readConversation } from '../../../record/conversations.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import {
  asVisitor,
  call,
  comeBack,
  newVisitor,
  openStream,
  postJson,
  startWebChannel,
  type Visitor,
  type WebChannel,
  type WebChannelSettings,
} from '../../support/web-channel.ts';

let scratch: ScratchDatabase;
const open: WebChannel[] = [];

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
afterEach(async () => {
  for (const channel of open.splice(0)) await channel.close();
});

async function start(settings: WebChannelSettings = {}): Promise<WebChannel> {
  const channel = await startWebChannel(scratch.database, settings);
  open.push(channel);
  return channel;
}

const seenSeq = async (conversation: string): Promise<number | undefined> => {
  const rows = await scratch.database.query<{ seen_seq: number }>('select seen_seq from conversation where id = $1', [
    conversation,
  ]);
  return rows[0]?.seen_seq;
};

let channel: WebChannel;
let visitor: Visitor;

beforeEach(async () => {
  channel = await start();
  visitor = await newVisitor(channel);
});

describe('beginning', () => {
  it('answers 201 with a stream address, writes the conversation, and runs no turn', async () => {
    const issued = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
    const begun = await postJson(`${channel.domain}/conversations`, issued.token, { user: { id: 'u-1' } });
    expect(begun).toMatchObject({ status: 201, body: { conversationId: issued.conversationId, token: issued.token } });
    expect(begun.body.streamUrl).toMatch(
      /^ws:\/\/127\.0\.0\.1:\d+\/v3\/directline\/conversations\/.{22}\/stream\?watermark=0&t=/,
    );
    expect(begun.body.expires_in).toBeGreaterThan(1790);
    expect(await readConversation(scratch.database, issued.conversationId)).toEqual([]);
  });

  it('answers 200 when the conversation had begun', async () => {
    expect((await postJson(`${channel.domain}/conversations`, visitor.token, {})).status).toBe(200);
  });

  it('needs no body', async () => {
    const { token } = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
    expect((await call(`${channel.domain}/conversations`, token, { method: 'POST' })).status).toBe(201);
  });
});

describe('saying something', () => {
  it('answers with the id of the recorded message, and the reply can be read after it', async () => {
    const said = await visitor.say('你好', { clientActivityID: 'c1' });
    expect(said).toMatchObject({ status: 200, body: { id: `${visitor.conversationId}|0000001` } });
    const { body } = await visitor.poll();
    expect(body.watermark).toBe('2');
    expect(body.activities).toMatchObject([
      {
        id: said.body.id,
        text: '你好',
        from: { id: visitor.userId, role: 'user' },
        channelData: { clientActivityID: 'c1' },
      },
      { text: 'echo: 你好', from: { id: 'lobby', role: 'bot' }, replyToId: said.body.id },
    ]);
  });

  it('keeps suggested actions on the last message of a turn', async () => {
    await visitor.say('chips');
    const { activities } = (await visitor.poll('1')).body;
    expect(activities).toMatchObject([{ text: 'choose' }, { text: 'one of these', inputHint: 'expectingInput' }]);
    expect(activities[0].suggestedActions).toBeUndefined();
    expect(activities[1].suggestedActions.actions).toHaveLength(2);
  });

  it('keeps every character of a text that text can have', async () => {
    const text = '𠮷野家 🏦👩‍👩‍👧 é ‮abc‬ "quoted" \\ \u2028 <b>&amp;</b>';
    expect((await visitor.say(text)).status).toBe(200);
    expect((await visitor.poll()).body.activities[0].text).toBe(text);
  });

  it('runs no turn for typing and for what was seen', async () => {
    await visitor.say('hi');
    expect((await visitor.post({ type: 'typing' })).status).toBe(200);
    expect((await visitor.post({ type: 'event', name: 'lobby/seen', value: { seq: 2 } })).status).toBe(200);
    expect(await readConversation(scratch.database, visitor.conversationId)).toHaveLength(2);
    await expect.poll(() => seenSeq(visitor.conversationId)).toBe(2);
  });

  it('records events of the page as turns', async () => {
    expect((await visitor.post({ type: 'event', name: 'page/opened', value: { page: 'loans' } })).status).toBe(200);
    expect((await visitor.poll()).body.activities).toMatchObject([{ type: 'event', name: 'page/opened' }]);
  });

  it('is refused with a sentence when it is too long, empty, or no activity', async () => {
    for (const [activity, code] of [
      [{ type: 'message', text: '长'.repeat(4001) }, 'text_too_long'],
      [{ type: 'message' }, 'empty_message'],
      [{ type: 'invoke', name: 'x' }, 'bad_activity_type'],
      ['{"type":"message","text":"\\u0000"}', 'bad_characters'],
      ['{"type":', 'not_json'],
    ] as const) {
      const { status, body } = await visitor.post(activity);
      expect({ status, code: body.error.code }).toEqual({ status: 400, code });
      expect(body.error.message).toMatch(/\.$/);
    }
    expect(await readConversation(scratch.database, visitor.conversationId)).toEqual([]);
  });

  it('is refused with 429 while eight messages of this conversation wait, and nothing is lost of those', async () => {
    const release = channel.bot.holdBack();
    const posts = Array.from({ length: 12 }, (_, index) => visitor.say(`message ${index}`));
    await new Promise((resolve) => setTimeout(resolve, 300));
    release();
    const answers = await Promise.all(posts);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(4);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused[0]?.body.error.code).toBe('busy');
    expect(await readConversation(scratch.database, visitor.conversationId)).toHaveLength(16);
  });
});

describe('saying something twice', () => {
  it('with the same key gives the first one’s id and runs no second turn', async () => {
    const first = await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'a' });
    const second = await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'b' });
    expect(second.body).toEqual(first.body);
    expect(await readConversation(scratch.database, visitor.conversationId)).toHaveLength(2);
  });

  it('at the same moment gives one turn too', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => visitor.say('once', { clientActivityID: 'a' })));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await readConversation(scratch.database, visitor.conversationId)).toHaveLength(2);
  });

  it('shows the recorded message again under the new client id, in a frame without a watermark', async () => {
    const stream = await openStream(visitor.streamUrl);
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'a' });
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'b' });
    await expect.poll(() => stream.frames.length).toBe(3);
    const repeat = stream.frames.at(-1);
    expect(repeat).not.toHaveProperty('watermark');
    expect(repeat?.activities).toMatchObject([
      {
        id: `${visitor.conversationId}|0000001`,
        text: 'once',
        channelData: { clientActivityID: 'b', 'webchat:sequence-id': 1 },
      },
    ]);
  });

  it('that came while no socket was open is shown to the socket that opens next, after what it missed', async () => {
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'a' });
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'b' });
    const stream = await comeBack(visitor);
    await expect.poll(() => stream.frames.length).toBe(3);
    const ids = stream.activities().map(({ id, channelData }) => [id.slice(-1), channelData.clientActivityID]);
    expect(ids).toEqual([
      ['1', 'a'],
      ['2', undefined],
      ['1', 'b'],
    ]);
    expect(stream.frames.map(({ watermark }) => watermark)).toEqual(['1', '2', undefined]);
  });

  it('is shown to who reads by polling, once', async () => {
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'a' });
    await visitor.say('once', { idempotencyKey: 'k', clientActivityID: 'b' });
    const [first, second] = [await visitor.poll(), await visitor.poll('2')];
    expect(first.body).toMatchObject({
      watermark: '2',
      activities: [{}, {}, { channelData: { clientActivityID: 'b' } }],
    });
    expect(second.body).toEqual({ watermark: '2', activities: [] });
  });

  it('in another conversation is another message', async () => {
    const other = await newVisitor(channel);
    await visitor.say('mine', { clientActivityID: 'same' });
    const { body } = await other.say('theirs', { clientActivityID: 'same' });
    expect(body.id).toBe(`${other.conversationId}|0000001`);
    expect(await readConversation(scratch.database, other.conversationId)).toHaveLength(2);
  });

  it('without any key is two messages', async () => {
    await visitor.say('hi');
    await visitor.say('hi');
    expect(await readConversation(scratch.database, visitor.conversationId)).toHaveLength(4);
  });
});

describe('reading on', () => {
  it('gives what came after the watermark, and the watermark to go on from', async () => {
    await visitor.say('one');
    await visitor.say('two');
    expect((await visitor.poll('2')).body).toMatchObject({
      watermark: '4',
      activities: [{ text: 'two' }, { text: 'echo: two' }],
    });
    expect((await visitor.poll('4')).body).toEqual({ watermark: '4', activities: [] });
  });

  it('tells the bank what the customer has seen', async () => {
    await visitor.say('one');
    await visitor.poll('1');
    await expect.poll(() => seenSeq(visitor.conversationId)).toBe(1);
    await call(`${visitor.address}?watermark=2`, visitor.token);
    await expect.poll(() => seenSeq(visitor.conversationId)).toBe(2);
  });

  it('refuses a watermark that is none', async () => {
    expect(await visitor.poll('abc')).toMatchObject({ status: 400, body: { error: { code: 'bad_watermark' } } });
    expect((await visitor.poll('-1')).status).toBe(400);
  });
});

describe('other people’s conversations', () => {
  it('cannot be read, posted to or come back to', async () => {
    const other = await newVisitor(channel);
    for (const answer of [
      await call(`${other.address}/activities`, visitor.token),
      await call(other.address, visitor.token),
      await postJson(`${other.address}/activities`, visitor.token, { type: 'message', text: 'hi' }),
      await call(`${other.address}/upload`, visitor.token, { method: 'POST' }),
    ]) {
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'other_conversation' } } });
    }
    expect(await readConversation(scratch.database, other.conversationId)).toEqual([]);
  });

  it('are unknown when they never began, or are erased', async () => {
    const issued = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
    const unbegun = asVisitor(channel, issued, '');
    expect((await unbegun.poll()).status).toBe(404);
    expect(await unbegun.say('hi')).toMatchObject({ status: 404, body: { error: { code: 'unknown_conversation' } } });
    await postJson(`${channel.domain}/conversations`, issued.token, {});
    expect((await unbegun.poll()).status).toBe(200);
  });
});

describe('tokens', () => {
  it('are needed: 401 without one, 403 with a wrong one', async () => {
    expect((await call(visitor.address, null)).status).toBe(401);
    expect(await call(visitor.address, 'nonsense')).toMatchObject({
      status: 403,
      body: { error: { code: 'bad_token' } },
    });
    const [head, body] = visitor.token.split('.');
    expect((await call(visitor.address, `${head}.${body}.AAAA`)).status).toBe(403);
  });

  it('expire, in the words Direct Line clients know', async () => {
    await visitor.poll();
    channel.pass(31 * 60 + 1);
    expect(await visitor.poll()).toMatchObject({ status: 403, body: { error: { code: 'TokenExpired' } } });
  });

  it('can be refreshed; the old one lives on for a minute', async () => {
    const { status, body } = await postJson(`${channel.domain}/tokens/refresh`, visitor.token, {});
    expect(status).toBe(200);
    expect(body).toMatchObject({ conversationId: visitor.conversationId, expires_in: 1800 });
    expect(body.token).not.toBe(visitor.token);
    expect((await visitor.poll()).status).toBe(200);
    channel.pass(61);
    expect(await visitor.poll()).toMatchObject({ status: 403, body: { error: { code: 'TokenExpired' } } });
    expect((await call(`${visitor.address}/activities`, body.token)).status).toBe(200);
  });

  it('refreshed elsewhere end here within the next minute and a half', async () => {
    const second = await start({ parts: { keys: channel.keys } });
    const there = { ...visitor, address: visitor.address.replace(channel.base, second.base) };
    expect((await call(there.address, visitor.token)).status).toBe(200);
    await postJson(`${channel.domain}/tokens/refresh`, visitor.token, {});
    second.pass(91);
    expect((await call(there.address, visitor.token)).status).toBe(403);
  });

  it('are revoked with their family: no post, no refresh, no stream', async () => {
    await visitor.say('hi');
    await channel.directLine.revokeConversation(visitor.conversationId);
    expect(await visitor.say('again')).toMatchObject({ status: 403, body: { error: { code: 'revoked_token' } } });
    expect((await postJson(`${channel.domain}/tokens/refresh`, visitor.token, {})).status).toBe(403);
    await expect(openStream(visitor.streamUrl)).rejects.toThrow('403');
  });

  it('revoked elsewhere are refused here after half a minute', async () => {
    await visitor.poll();
    await scratch.database.query('update dl_session set revoked_at = now() where conversation_id = $1', [
      visitor.conversationId,
    ]);
    expect((await visitor.poll()).status).toBe(200);
    channel.pass(31);
    expect((await visitor.poll()).status).toBe(403);
  });

  it('tell the service’s own routes whose they are', async () => {
    const request = { headers: { authorization: `Bearer ${visitor.token}` } } as never;
    expect(await channel.directLine.claimsOf(request)).toMatchObject({ conversationId: visitor.conversationId });
  });
});

describe('visitors', () => {
  const back = (credential: string | undefined, conversationId?: string) =>
    channel.directLine.issueForVisitor({ credential, conversationId, address: '192.0.2.1' });

  it('come back to their conversation by their credential', async () => {
    await visitor.say('hi');
    const returned = await back(visitor.visitor, visitor.conversationId);
    expect(returned).toMatchObject({
      userId: visitor.userId,
      conversationId: visitor.conversationId,
      visitor: visitor.visitor,
    });
    const { body } = await call(`${visitor.address}/activities`, returned.token);
    expect(body.activities).toHaveLength(2);
  });

  it('begin another conversation as the same person', async () => {
    const returned = await back(visitor.visitor);
    expect(returned.userId).toBe(visitor.userId);
    expect(returned.conversationId).not.toBe(visitor.conversationId);
  });

  it('are strangers without it, and with one that is forged', async () => {
    expect((await back(undefined)).userId).not.toBe(visitor.userId);
    expect((await back('forged')).userId).not.toBe(visitor.userId);
  });

  it('get nobody else’s conversation, nor one that does not exist', async () => {
    const other = await newVisitor(channel);
    await expect(back(visitor.visitor, other.conversationId)).rejects.toMatchObject({ status: 403 });
    await expect(back(undefined, other.conversationId)).rejects.toMatchObject({ status: 403 });
    await expect(back(visitor.visitor, 'AAAAAAAAAAAAAAAAAAAAAA')).rejects.toMatchObject({ status: 404 });
  });

  it('are forgotten when they ask: credential, tokens and open pages end', async () => {
    const stream = await openStream(visitor.streamUrl);
    await channel.directLine.forget(visitor.visitor);
    expect(await stream.closed).toBe(1008);
    expect((await visitor.poll()).status).toBe(403);
    await expect(back(visitor.visitor, visitor.conversationId)).rejects.toMatchObject({ status: 403 });
    expect((await back(visitor.visitor)).userId).not.toBe(visitor.userId);
  });
});

describe('tokens for the bank’s own servers', () => {
  const secret = 's'.repeat(40);
  const generate = (to: WebChannel, given: string | null, body: unknown = {}, headers = {}) =>
    postJson(`${to.domain}/tokens/generate`, given, body, headers);

  it('are generated for whom the bank says, by the secret only', async () => {
    const bank = await start({ config: { secret } });
    const { status, body } = await generate(bank, secret, { user: { id: 'dl_bank_7', name: '王芳' } });
    expect(status).toBe(200);
    await postJson(`${bank.domain}/conversations`, body.token, {});
    const address = `${bank.domain}/conversations/${body.conversationId}/activities`;
    await postJson(address, body.token, { type: 'message', text: 'hi', from: { id: 'x', name: 'x' } });
    expect((await call(address, body.token)).body.activities[0].from.id).toBe('dl_bank_7');
  });

  it('are refused without the secret, with a wrong one, in a page, and when there is none', async () => {
    const bank = await start({ config: { secret } });
    expect((await generate(bank, null)).status).toBe(401);
    expect((await generate(bank, 'wrong')).status).toBe(403);
    expect((await generate(bank, secret, {}, { origin: 'https://www.bank.example' })).status).toBe(403);
    expect((await generate(channel, secret)).status).toBe(403);
    expect((await generate(channel, '')).status).toBeGreaterThanOrEqual(401);
  });

  it('take no user ids but those that are marked as the service’s', async () => {
    const bank = await start({ config: { secret } });
    expect(await generate(bank, secret, { user: { id: 'u-1' } })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_token_request' } },
    });
    expect((await generate(bank, secret, [])).status).toBe(400);
  });

  it('do not let the secret into a conversation', async () => {
    const bank = await start({ config: { secret } });
    expect((await postJson(`${bank.domain}/conversations`, secret, {})).status).toBe(403);
  });
});

describe('pages of other sites', () => {
  const site = 'https://www.bank.example';

  it('may use the chat when the bank lists them: preflight, answers and errors can be read', async () => {
    const bank = await start({ config: { chatOrigins: [site] } });
    const preflight = await call(`${bank.domain}/conversations/x/activities`, null, {
      method: 'OPTIONS',
      headers: { origin: site },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(site);
    for (const header of ['authorization', 'content-type', 'x-requested-with', 'x-ms-bot-agent']) {
      expect(preflight.headers.get('access-control-allow-headers')).toContain(header);
    }
    const guest = await newVisitor(bank);
    const read = await call(`${guest.address}/activities`, guest.token, { headers: { origin: site } });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, site]);
    const refused = await call(`${guest.address}/activities`, 'nonsense', { headers: { origin: site } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, site]);
  });

  it('may not otherwise', async () => {
    const headers = { origin: 'https://evil.example' };
    expect((await call(`${channel.domain}/conversations`, null, { method: 'OPTIONS', headers })).status).toBe(403);
    const refused = await call(`${visitor.address}/activities`, visitor.token, { headers });
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } });
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(
      (await postJson(`${visitor.address}/activities`, visitor.token, { type: 'message', text: 'hi' }, headers)).status,
    ).toBe(403);
  });

  it('may when their token names them', async () => {
    const secret = 's'.repeat(40);
    const bank = await start({ config: { secret } });
    const { body } = await postJson(`${bank.domain}/tokens/generate`, secret, { trustedOrigins: [site] });
    const begin = (origin: string) => postJson(`${bank.domain}/conversations`, body.token, {}, { origin });
    expect((await begin('https://evil.example')).status).toBe(403);
    expect((await begin(site)).status).toBe(201);
  });

  it('are not needed: our own page is always allowed', async () => {
    expect(
      (await call(`${visitor.address}/activities`, visitor.token, { headers: { origin: channel.base } })).status,
    ).toBe(200);
  });
});

describe('too many requests', () => {
  const tight = { points: 2, seconds: 60 };
  const limits = (name: string) => start({ config: { limits: { ...high, [name]: tight } } });
  const high = Object.fromEntries(
    Object.keys(DEFAULT_LIMITS).map((name) => [name, { points: 1000, seconds: 60 }]),
  ) as unknown as DirectLineLimits;

  it('of one conversation are refused with 429 and when to come back', async () => {
    const strict = await limits('postsPerConversation');
    const guest = await newVisitor(strict);
    expect((await guest.say('1')).status).toBe(200);
    expect((await guest.say('2')).status).toBe(200);
    const refused = await guest.say('3');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'too_many_requests' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await (await newVisitor(strict)).say('1')).status).toBe(200);
  });

  it('of one visitor in several conversations, of polls, starts and tokens, too', async () => {
    const perUser = await limits('postsPerUser');
    const guest = await newVisitor(perUser);
    await guest.say('1');
    await guest.say('2');
    const next = await perUser.directLine.issueForVisitor({ credential: guest.visitor, address: '192.0.2.1' });
    await postJson(`${perUser.domain}/conversations`, next.token, {});
    expect((await asVisitor(perUser, next, '').say('3')).status).toBe(429);

    const polled = await newVisitor(await limits('pollsPerConversation'));
    await polled.poll();
    await polled.poll();
    expect((await polled.poll()).status).toBe(429);

    const started = await limits('startsPerAddress');
    await newVisitor(started);
    await newVisitor(started);
    const { token } = await started.directLine.issueForVisitor({ address: '192.0.2.1' });
    expect((await postJson(`${started.domain}/conversations`, token, {})).status).toBe(429);

    const tokens = await limits('tokensPerAddress');
    const ask = (address: string) => tokens.directLine.issueForVisitor({ address });
    await ask('192.0.2.1');
    await ask('192.0.2.1');
    await expect(ask('192.0.2.1')).rejects.toMatchObject({ status: 429 });
    await expect(ask('192.0.2.2')).resolves.toBeTruthy();
  });
});

describe('when the record is away', () => {
  it('nothing is acknowledged: 503 and when to come back', async () => {
    const away = await scratch.open();
    const cut = await startWebChannel(away);
    const guest = await newVisitor(cut);
    await away.close();
    const refused = await guest.say('hi');
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    expect(refused.headers.get('retry-after')).toBeTruthy();
    expect((await guest.poll()).status).toBe(503);
    await cut.close();
  });
});

describe('addresses that are none', () => {
  it('are answered with a sentence in the same shape', async () => {
    for (const [method, path, status] of [
      ['GET', '/nothing', 404],
      ['POST', '/conversations/x/nothing', 404],
      ['GET', '/conversations/%ff/activities', 404],
      ['GET', `/conversations/${visitor.conversationId}/`, 404],
      ['POST', '/conversations/../../etc', 404],
      ['PUT', '/conversations', 405],
      ['DELETE', `/conversations/${visitor.conversationId}/activities`, 405],
      ['GET', '/conversations/%00/activities', 403],
      ['GET', '/conversations/x/uploads/%2e%2e%2f', 403],
    ] as const) {
      const answer = await call(channel.domain + path, visitor.token, { method });
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.body).toEqual({ error: { code: expect.any(String), message: expect.stringMatching(/\.$/) } });
    }
  });
});

it('a conversation can be followed from a second page of the same visitor', async () => {
  const [first, second] = [await openStream(visitor.streamUrl), await comeBack(visitor)];
  await visitor.say('hi');
  await expect
    .poll(() => [first.texts(), second.texts()])
    .toEqual([
      ['hi', 'echo: hi'],
      ['hi', 'echo: hi'],
    ]);
});
