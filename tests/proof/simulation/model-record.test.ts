/** The modelled record answers as PostgreSQL does: otherwise the simulation would prove promises of something else. */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginThread, commitTurns, loadTurn, readTurn } from '../../../record/conversations.ts';
import { type Attempt, leaseMessages, settleMessage } from '../../../record/outbox.ts';
import type { CommitResult, Speaker, TurnCommit } from '../../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { afterAttempt } from './instance.ts';
import { ModelRecord } from './model-record.ts';

let scratch: ScratchDatabase;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());

/** A turn by what may differ: everything is small, so that keys, versions and timers meet. */
const turns = fc.record({
  conversation: fc.nat({ max: 2 }),
  key: fc.nat({ max: 12 }),
  behind: fc.constantFrom(0, 0, 0, 1),
  epochBehind: fc.constantFrom(0, 0, 0, 1),
  speakers: fc.array(fc.constantFrom<Speaker>('bot', 'staff', 'system'), { maxLength: 2 }),
  state: fc.option(fc.record({ answers: fc.nat({ max: 9 }) })),
  owner: fc.constantFrom(undefined, undefined, 'bot', 'none', 'staff-1'),
  pushed: fc.boolean(),
  timer: fc.option(fc.nat({ max: 2 })),
  firing: fc.option(fc.nat({ max: 4 })),
});

type Plan = typeof turns extends fc.Arbitrary<infer Value> ? Value : never;

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        step: fc.constant('commit' as const),
        turns: fc.array(turns, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        step: fc.constant('send' as const),
        settles: fc.array(fc.constantFrom('sent', 'refused', 'retry', 'later', 'nothing')),
      }),
    },
  ),
  { minLength: 5, maxLength: 20 },
);

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  sent: { result: 'sent', wireId: null },
  refused: { result: 'refused', code: 'no' },
  retry: { result: 'retry', code: 'busy', afterMs: 0 },
  later: { result: 'retry', code: 'busy', afterMs: 3_600_000 },
};

describe('the modelled record', () => {
  it('commits, refuses, leases and settles as PostgreSQL does', { timeout: 60_000 }, async () => {
    const outcomes = new Set<string>();
    const agreeing = fc.asyncProperty(steps, async (plan) => {
      const pair = await Pair.begin();
      for (const step of plan) {
        if (step.step === 'commit') await pair.commit(step.turns, outcomes);
        else await pair.send(step.settles);
        await pair.compare();
      }
    });
    await fc.assert(agreeing, { numRuns: 25, seed: 1, endOnFailure: true });
    expect([...outcomes].toSorted()).toEqual(['conflict', 'duplicate', 'not_owner', 'ok']);
  });
});

/** The same history on both. */
class Pair {
  readonly #model = new ModelRecord(Date.now);
  readonly #ids: readonly string[];
  readonly #timers = Array.from({ length: 15 }, () => randomUUID());

  private constructor(ids: readonly string[]) {
    this.#ids = ids;
  }

  static async begin(): Promise<Pair> {
    await scratch.database.query('delete from outbox');
    const ids = [1, 2, 3].map(() => randomUUID().replaceAll('-', '').slice(0, 22));
    const pair = new Pair(ids);
    for (const conversationId of ids) {
      const thread = { conversationId, channel: 'azure', threadKey: conversationId };
      await beginThread(scratch.database, { ...thread, account: 'test', externalId: conversationId });
      pair.#model.begin(thread);
    }
    return pair;
  }

  async commit(plans: readonly Plan[], outcomes: Set<string>): Promise<void> {
    const different = plans.filter(
      ({ conversation }, place) => plans.findIndex((plan) => plan.conversation === conversation) === place,
    );
    const batch = different.map((plan) => this.#turnOf(plan));
    const modelled = this.#model.commits(batch);
    const expected = modelled.map(comparable);
    const actual = (await commitTurns(scratch.database, batch, 'Asia/Shanghai')).map(comparable);
    expect(actual).toEqual(expected);
    for (const { outcome } of modelled) outcomes.add(outcome);
    for (const { conversationId, key } of batch) {
      expect(await loadTurn(scratch.database, conversationId, key)).toEqual(this.#model.load(conversationId, key));
    }
  }

  async send(settles: readonly string[]): Promise<void> {
    const leaseToken = randomUUID();
    const options = { limit: 100, leaseMs: 3_600_000, leaseToken };
    const leased = await leaseMessages(scratch.database, options);
    const modelled = this.#model.leaseHeads(options.limit, options.leaseMs, leaseToken);
    const places = leased.map(({ conversationId, activities }) => `${conversationId}/${activities[0]?.seq}`);
    expect(places.toSorted()).toEqual(modelled.map(({ id }) => id).toSorted());
    for (const [place, message] of leased.entries()) {
      const attempt = ATTEMPTS[settles[place] ?? 'nothing'];
      if (!attempt) continue;
      const { state, afterMs } = afterAttempt(message, attempt);
      const ours = this.#model.settle(places[place] ?? '', leaseToken, state, afterMs);
      expect(await settleMessage(scratch.database, message, attempt)).toBe(ours);
    }
  }

  async compare(): Promise<void> {
    for (const id of this.#ids) {
      const model = this.#model.conversations.get(id);
      const [conversation] = await scratch.database.query(
        'select ver as version, seq, owner, epoch, state from conversation where id = $1',
        [id],
      );
      const { version, seq, owner, epoch, state } = model ?? {};
      expect(conversation).toEqual({ version, seq, owner, epoch, state });
      const rows = await scratch.database.query(
        'select seq, turn, direction, speaker, epoch, dkey as key, body from activity where conversation_id = $1 order by seq',
        [id],
      );
      expect(rows).toEqual(model?.rows.map(({ conversationId: _, at: __, ...row }) => row));
      const cause = model?.rows.findLast(({ key }) => key !== null)?.seq ?? 0;
      const turn = await readTurn(scratch.database, id, cause);
      expect(turn.map((row) => row.seq)).toEqual(this.#model.rows(id, cause).map((row) => row.seq));
      const queued = await scratch.database.query(
        'select seq_from as "seqFrom", seq_to as "seqTo", state, tries from outbox where conversation_id = $1 order by 1',
        [id],
      );
      const messages = this.#model.outbox.filter(({ conversationId }) => conversationId === id);
      expect(queued).toEqual(messages.map(({ seqFrom, seqTo, state, tries }) => ({ seqFrom, seqTo, state, tries })));
      const timers = await scratch.database.query(
        'select id, state from timer where conversation_id = $1 order by id',
        [id],
      );
      const modelled = this.#model.timers.filter(({ conversationId }) => conversationId === id);
      expect(timers).toEqual(modelled.map(({ id: timer, state }) => ({ id: timer, state })).toSorted(byId));
    }
  }

  #turnOf(plan: Plan): TurnCommit {
    const conversationId = this.#ids[plan.conversation] ?? '';
    const { version = 0, epoch = 0 } = this.#model.conversations.get(conversationId) ?? {};
    const own = this.#timers.slice(plan.conversation * 5);
    const timer = plan.timer === null ? undefined : own[plan.timer];
    const free = this.#model.timers.every(({ id }) => id !== timer);
    const subject = `${conversationId}:${(plan.timer ?? 0) % 2}`;
    const firing = plan.firing === null ? undefined : own[plan.firing];
    return {
      conversationId,
      seen: Math.max(0, version - plan.behind),
      epoch: Math.max(0, epoch - plan.epochBehind),
      key: `${conversationId}:${plan.key}`,
      cause: { direction: 'in', speaker: 'customer', body: { type: 'message', text: `m${plan.key}` } },
      replies: plan.speakers.map((speaker, n) => ({ speaker, body: { type: 'message', text: `r${n}` } })),
      state: plan.state,
      ...(plan.owner !== undefined && { owner: plan.owner }),
      effects: [],
      outbox: plan.pushed ? { channel: 'azure', route: 'there', class: 'must' } : null,
      timersSet: timer && free ? [{ id: timer, kind: 'answer', subject, dueInMs: 0, payload: {} }] : [],
      ...(firing !== undefined && { firing }),
    };
  }
}

/** Without what must differ: the time, and the row of a timer's repeat, which has none. */
function comparable(result: CommitResult): object {
  switch (result.outcome) {
    case 'ok': {
      const { at: _, ...rest } = result;
      return rest;
    }
    case 'duplicate':
      return { outcome: result.outcome, causeSeq: result.causeSeq ?? 0 };
    case 'conflict':
    case 'not_owner':
    case 'gone':
      return result;
  }
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}
