/** Turns committed together, on a real PostgreSQL: together in time, apart in fate. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodedError } from '../../adapters/channel.ts';
import { CommitLane, type CommitTurns } from '../../bot/commit-lane.ts';
import { beginThread, commitTurn, commitTurns, readConversation } from '../../record/conversations.ts';
import type { TurnCommit } from '../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../support/database.ts';

const ZONE = 'Asia/Shanghai';
let scratch: ScratchDatabase;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());

const real: CommitTurns = (turns) => commitTurns(scratch.database, turns, ZONE);

/** Counts the statements, and holds the first one back until `open` is called, so that the others gather behind it. */
function gathering(commit: CommitTurns): { readonly commit: CommitTurns; readonly sizes: number[]; open(): void } {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const sizes: number[] = [];
  return {
    sizes,
    open,
    async commit(turns) {
      sizes.push(turns.length);
      if (sizes.length === 1) await gate;
      return commit(turns);
    },
  };
}

async function conversations(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(17).toString('base64url').slice(0, 22));
  for (const id of ids) {
    const thread = { conversationId: id, channel: 'web', threadKey: id };
    await beginThread(scratch.database, { ...thread, account: 'test', externalId: id });
  }
  return ids;
}

function turnOf(conversationId: string, key: string, more: Partial<TurnCommit> = {}): TurnCommit {
  return {
    conversationId,
    seen: 0,
    epoch: 0,
    key: `web:${conversationId}:${key}`,
    cause: { direction: 'in', speaker: 'customer', body: { type: 'message', text: key } },
    replies: [{ speaker: 'bot', body: { type: 'message', text: `re: ${key}` } }],
    state: { said: key },
    effects: [],
    outbox: null,
    timersSet: [],
    ...more,
  };
}

const texts = async (id: string): Promise<unknown[]> =>
  (await readConversation(scratch.database, id)).map(({ body }) => body.text);

describe('the commit lane', () => {
  it('commits alone what comes alone', async () => {
    const commits = gathering(real);
    commits.open();
    const [id = ''] = await conversations(1);
    const lane = new CommitLane(commits.commit, 1, performance.now.bind(performance));
    expect((await lane.commit(turnOf(id, 'a'))).outcome).toBe('ok');
    expect((await lane.commit(turnOf(id, 'b', { seen: 1 }))).outcome).toBe('ok');
    expect(commits.sizes).toEqual([1, 1]);
  });

  it('commits together, at most 64 at once, what comes while it is busy, and gives each its own result', async () => {
    const commits = gathering(real);
    const ids = await conversations(100);
    const lane = new CommitLane(commits.commit, 1, performance.now.bind(performance));
    const results = ids.map((id, n) => lane.commit(turnOf(id, `k${n}`)));
    commits.open();
    expect((await Promise.all(results)).every(({ outcome }) => outcome === 'ok')).toBe(true);
    expect(commits.sizes).toEqual([1, 64, 35]);
    for (const [n, id] of ids.entries()) expect(await texts(id)).toEqual([`k${n}`, `re: k${n}`]);
    const [transactions] = await scratch.database.query<{ n: number }>(
      'select count(distinct xmin::text)::int as n from activity where conversation_id = any($1)',
      [ids],
    );
    expect(transactions?.n).toBe(3);
  });

  it('lets a duplicate and a conflict be what they are without touching their neighbours', async () => {
    const ids = await conversations(4);
    const [first = '', known = '', stale = '', last = ''] = ids;
    await commitTurn(scratch.database, turnOf(known, 'k'), ZONE);
    await commitTurn(scratch.database, turnOf(stale, 'other'), ZONE);
    const commits = gathering(real);
    const lane = new CommitLane(commits.commit, 1, performance.now.bind(performance));
    const results = [first, known, stale, last].map((id) => lane.commit(turnOf(id, 'k')));
    const [begun = ''] = await conversations(1);
    commits.open();
    expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual(['ok', 'duplicate', 'conflict', 'ok']);
    expect(await texts(begun)).toEqual([]);
    expect(await texts(stale)).toEqual(['other', 're: other']);
  });

  it('lets a turn the database refuses harm nobody but itself', async () => {
    const [first = '', broken = '', last = ''] = await conversations(3);
    const commits = gathering(real);
    const lane = new CommitLane(commits.commit, 1, performance.now.bind(performance));
    const [head = ''] = await conversations(1);
    const waits = [lane.commit(turnOf(head, 'head'))];
    const bad = turnOf(broken, 'bad', {
      timersSet: [{ id: 'no uuid', kind: 'answer', subject: 's', dueInMs: 1, payload: {} }],
    });
    waits.push(lane.commit(turnOf(first, 'a')), lane.commit(bad), lane.commit(turnOf(last, 'b')));
    commits.open();
    const settled = await Promise.allSettled(waits);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect([await texts(first), await texts(broken), await texts(last)]).toEqual([['a', 're: a'], [], ['b', 're: b']]);
  });

  it('tells everybody in the batch that the outcome is unknown, and tries none of them again by itself', async () => {
    const ids = await conversations(3);
    const commits = gathering((turns) =>
      turns.length === 1 ? real(turns) : Promise.reject(new CodedError('database_unknown', 'The connection was lost.')),
    );
    const lane = new CommitLane(commits.commit, 1, performance.now.bind(performance));
    const waits = ids.map((id) => lane.commit(turnOf(id, 'k')));
    commits.open();
    const settled = await Promise.allSettled(waits);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(commits.sizes).toEqual([1, 2]);
  });

  it('never deadlocks with another lane over the same conversations', async () => {
    const ids = await conversations(40);
    const lanes = [1, 2, 3].map(() => new CommitLane(real, 2, performance.now.bind(performance)));
    await Promise.all(
      lanes.flatMap((lane, n) => {
        const order = n % 2 === 0 ? ids : ids.toReversed();
        return order.map((id) => lane.commit(turnOf(id, `lane${n}`)));
      }),
    );
    const [row] = await scratch.database.query<{ deadlocks: number }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    expect(row?.deadlocks).toBe(0);
    for (const id of ids) expect(await texts(id)).toHaveLength(2);
  });
});
