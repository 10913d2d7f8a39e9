/** The web channel's part of the record, on a real PostgreSQL. */

import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitTurn } from '../../record/conversations.ts';
import type { Database } from '../../record/types.ts';
import { WebChat } from '../../record/web-chat.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';

let scratch: ScratchDatabase;
let database: Database;
let chat: WebChat;

beforeAll(async () => {
  scratch = await scratchDatabase();
  database = scratch.database;
  // As the service runs: with the rights of its own role, not those of the tables' owner.
  chat = new WebChat(await scratch.open({ role: 'lobby_app' }));
});

afterAll(() => scratch.drop());

const randomId = (): string => randomBytes(17).toString('base64url').slice(0, 22);
const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

let conversation: string;
let user: string;

beforeEach(() => {
  conversation = randomId();
  user = `dl_${randomId()}`;
});

async function openSession(more: { userId?: string; newVisitor?: boolean; expiresAt?: Date } = {}): Promise<string> {
  const family = newId();
  const session = {
    family,
    conversationId: conversation,
    userId: user,
    expiresAt: inMinutes(30),
    newVisitor: false,
    ...more,
  };
  await chat.openSession(session);
  return family;
}

/** Records one turn: a message and its replies. */
async function record(seen: number, replies: number, direction: 'in' | 'event' = 'in'): Promise<void> {
  const result = await commitTurn(
    database,
    {
      conversationId: conversation,
      seen,
      epoch: 0,
      key: newId(),
      cause: { direction, speaker: 'customer', body: { text: `turn ${seen + 1}` } },
      replies: Array.from({ length: replies }, () => ({ speaker: 'bot' as const, body: { text: 'reply' } })),
      state: null,
      effects: [],
      outbox: null,
      timersSet: [],
    },
    'Asia/Shanghai',
  );
  expect(result.outcome).toBe('ok');
}

const seenSeq = async (): Promise<number | undefined> => {
  const [row] = await database.query<{ seen_seq: number }>('select seen_seq from conversation where id = $1', [
    conversation,
  ]);
  return row?.seen_seq;
};

describe('beginning a conversation', () => {
  it('writes the conversation, its identity and the link between them, and no turn', async () => {
    expect(await chat.begin(conversation, user)).toBe('begun');
    const rows = await database.query(
      `select c.channel, c.thread_key, c.seq, i.external_id, i.level, l.seq as linked
         from conversation c
         join identity i on i.id = c.identity_id
         join conversation_link l on l.conversation_id = c.id and l.identity_id = i.id
        where c.id = $1`,
      [conversation],
    );
    expect(rows).toEqual([
      { channel: 'web', thread_key: conversation, seq: 0, external_id: user, level: 0, linked: 0 },
    ]);
  });

  it('is the same conversation when begun again, also by two at once', async () => {
    const outcomes = await Promise.all([chat.begin(conversation, user), chat.begin(conversation, user)]);
    expect(outcomes.toSorted()).toEqual(['begun', 'known']);
    expect(await chat.begin(conversation, user)).toBe('known');
  });

  it('keeps one identity for all conversations of a visitor', async () => {
    await chat.begin(conversation, user);
    await chat.begin(randomId(), user);
    const rows = await database.query('select id from identity where external_id = $1', [user]);
    expect(rows).toHaveLength(1);
  });

  it('belongs to the customer at once when the visitor has signed in before', async () => {
    const customer = newId();
    await database.query('insert into customer (id, name) values ($1, $2)', [customer, '王芳']);
    await chat.begin(conversation, user);
    await database.query('update identity set customer_id = $2, level = 2 where external_id = $1', [user, customer]);
    const next = randomId();
    await chat.begin(next, user);
    expect(await database.query('select customer_id from conversation where id = $1', [next])).toEqual([
      { customer_id: customer },
    ]);
  });

  it('tells a stranger that it is not theirs, and everybody that an erased one is gone', async () => {
    await chat.begin(conversation, user);
    expect(await chat.begin(conversation, `dl_${randomId()}`)).toBe('foreign');
    await database.query('update conversation set erased_at = now() where id = $1', [conversation]);
    expect(await chat.begin(conversation, user)).toBe('gone');
  });
});

describe('who may come back', () => {
  it('knows a visitor until they are forgotten', async () => {
    await openSession({ newVisitor: true });
    expect(await chat.visitor(user, null)).toEqual({ welcome: true, conversation: 'unknown' });
    await chat.forgetVisitor(user);
    expect(await chat.visitor(user, null)).toEqual({ welcome: false, conversation: 'unknown' });
  });

  it('says whose a conversation is, also before it has begun', async () => {
    await openSession({ newVisitor: true });
    expect((await chat.visitor(user, conversation)).conversation).toBe('own');
    expect((await chat.visitor(null, conversation)).conversation).toBe('foreign');
    await chat.begin(conversation, user);
    expect((await chat.visitor(user, conversation)).conversation).toBe('own');
    expect((await chat.visitor(`dl_${randomId()}`, conversation)).conversation).toBe('foreign');
    expect((await chat.visitor(user, randomId())).conversation).toBe('unknown');
  });

  it('ends every family of a forgotten visitor, and of a conversation', async () => {
    const families = [await openSession({ newVisitor: true }), await openSession()];
    await chat.forgetVisitor(user);
    for (const family of families) expect(await chat.sessionState(family, newId())).toEqual({ state: 'revoked' });
    user = `dl_${randomId()}`;
    const family = await openSession();
    await chat.revokeConversation(conversation);
    expect(await chat.sessionState(family, newId())).toEqual({ state: 'revoked' });
  });

  it('does not know a family nobody opened', async () => {
    expect(await chat.sessionState(newId(), newId())).toEqual({ state: 'revoked' });
  });

  it('ends one token when it is refreshed and prolongs the family, unless the family was revoked', async () => {
    const family = await openSession();
    const token = newId();
    const endsAt = inMinutes(1);
    expect(await chat.renewSession(family, token, endsAt, inMinutes(60))).toBe(true);
    const open = { state: 'open', conversation: 'not_begun' };
    expect(await chat.sessionState(family, token)).toEqual({ ...open, tokenEndsAt: endsAt });
    expect(await chat.sessionState(family, newId())).toEqual({ ...open, tokenEndsAt: null });
    // A second refresh by the same token does not let it live longer.
    await chat.renewSession(family, token, inMinutes(5), inMinutes(60));
    expect(await chat.sessionState(family, token)).toEqual({ ...open, tokenEndsAt: endsAt });
    await chat.revokeConversation(conversation);
    expect(await chat.renewSession(family, newId(), endsAt, inMinutes(60))).toBe(false);
  });
});

describe('reading on', () => {
  it('gives what came after a row, in order, hidden rows with an empty body', async () => {
    await chat.begin(conversation, user);
    await record(0, 2);
    await record(1, 0, 'event');
    await record(2, 1);
    const rows = await chat.rowsAfter(conversation, 1, 100);
    expect(rows.map(({ seq, direction, body }) => [seq, direction, body])).toEqual([
      [2, 'out', { text: 'reply' }],
      [3, 'out', { text: 'reply' }],
      [4, 'event', {}],
      [5, 'in', { text: 'turn 3' }],
      [6, 'out', { text: 'reply' }],
    ]);
    expect(await chat.rowsAfter(conversation, 0, 2)).toHaveLength(2);
  });

  it('notes what was seen, never backwards and never past what was said', async () => {
    await chat.begin(conversation, user);
    await record(0, 2);
    await chat.confirmSeen([{ conversationId: conversation, seq: 2 }]);
    expect(await seenSeq()).toBe(2);
    await chat.confirmSeen([{ conversationId: conversation, seq: 1 }]);
    expect(await seenSeq()).toBe(2);
    await chat.confirmSeen([{ conversationId: conversation, seq: 99 }]);
    expect(await seenSeq()).toBe(3);
  });
});

describe('the sweep', () => {
  it('mentions only the sockets that are behind or may not go on', async () => {
    await chat.begin(conversation, user);
    await record(0, 1);
    const family = await openSession();
    const expired = await openSession({ expiresAt: inMinutes(-1) });
    const unknown = newId();
    const sockets = [
      { family, seq: 2 },
      { family, seq: 1 },
      { family: expired, seq: 2 },
      { family: unknown, seq: 2 },
    ];
    expect(await chat.sweep(sockets, new Date())).toEqual([
      { index: 1, finding: 'behind', seq: 2 },
      { index: 2, finding: 'ended', seq: 2 },
      { index: 3, finding: 'ended', seq: 0 },
    ]);
  });

  it('ends the sockets of revoked families and erased conversations', async () => {
    await chat.begin(conversation, user);
    const family = await openSession();
    await chat.revokeConversation(conversation);
    expect(await chat.sweep([{ family, seq: 0 }], new Date())).toMatchObject([{ finding: 'ended' }]);
    const other = await openSession();
    await database.query('update conversation set erased_at = now() where id = $1', [conversation]);
    expect(await chat.sweep([{ family: other, seq: 0 }], new Date())).toMatchObject([{ finding: 'ended' }]);
  });
});

describe('files', () => {
  const file = (bytes: number) => ({
    id: randomId(),
    name: '流水.pdf',
    contentType: 'application/pdf',
    bytes: randomBytes(bytes),
  });

  it('come back byte for byte, only in their conversation', async () => {
    await chat.begin(conversation, user);
    const sent = file(1_000);
    expect(await chat.keepUploads(conversation, [sent], 10_000)).toBe(true);
    const { id: _id, ...kept } = sent;
    expect(await chat.upload(conversation, sent.id)).toEqual(kept);
    expect(await chat.upload(randomId(), sent.id)).toBeNull();
  });

  it('are refused, all of a message, when the conversation is full or not there', async () => {
    expect(await chat.keepUploads(conversation, [file(1)], 10_000)).toBe(false);
    await chat.begin(conversation, user);
    expect(await chat.keepUploads(conversation, [file(600)], 1_000)).toBe(true);
    const [fits, not] = [file(300), file(300)];
    expect(await chat.keepUploads(conversation, [fits, not], 1_000)).toBe(false);
    expect(await chat.upload(conversation, fits.id)).toBeNull();
  });

  it('are not served once their visitor is forgotten or the conversation erased', async () => {
    await openSession({ newVisitor: true });
    await chat.begin(conversation, user);
    const sent = file(10);
    await chat.keepUploads(conversation, [sent], 10_000);
    await chat.forgetVisitor(user);
    expect(await chat.upload(conversation, sent.id)).toBeNull();
  });

  it('stay when a message carried them and go when it did not', async () => {
    await chat.begin(conversation, user);
    const [carried, refused] = [file(10), file(10)];
    await chat.keepUploads(conversation, [carried, refused], 10_000);
    await chat.claimUploads([carried.id], 1);
    await chat.dropUploads([carried.id, refused.id]);
    expect(await chat.upload(conversation, carried.id)).not.toBeNull();
    expect(await chat.upload(conversation, refused.id)).toBeNull();
  });
});

describe('pruning', () => {
  it('throws away ended families, files no message carried and visitors who never spoke, a day later', async () => {
    const family = await openSession({ newVisitor: true });
    await chat.begin(conversation, `dl_${randomId()}`);
    const orphan = { id: randomId(), name: 'a.pdf', contentType: 'application/pdf', bytes: Buffer.from('%PDF') };
    await chat.keepUploads(conversation, [orphan], 10_000);
    await chat.prune(new Date());
    expect((await chat.sessionState(family, newId())).state).toBe('open');
    await chat.prune(inMinutes(60 * 26));
    expect(await chat.sessionState(family, newId())).toEqual({ state: 'revoked' });
    expect((await chat.visitor(user, null)).welcome).toBe(false);
    expect(await database.query('select id from upload where id = $1', [orphan.id])).toEqual([]);
  });
});
