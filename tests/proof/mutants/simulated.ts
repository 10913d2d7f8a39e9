/** Defects planted into the simulated bank: each takes the place of one part, and the simulation must notice. */

import type { TurnGate, TurnOutcome } from '../../../adapters/channel.ts';
import { CodedError } from '../../../adapters/channel.ts';
import type { CommitTurns } from '../../../bot/commit-lane.ts';
import type { CommitResult, TurnCommit } from '../../../record/types.ts';
import type { Defect, Instance } from '../simulation/instance.ts';
import { ModelRecord, type Test } from '../simulation/model-record.ts';

const lateKey = /^answer:/;

/** The tests of a turn but one. */
function without(
  skipped: 'newKey' | 'sameVersion' | 'sameEpoch' | 'timerWaits',
): new (
  now: () => number,
) => ModelRecord {
  return class extends ModelRecord {
    protected override protocol(): readonly Test[] {
      return super.protocol().filter((test) => test !== this[skipped]);
    }
  };
}

class NoUniqueKey extends without('newKey') {
  protected override refuseSecond(): void {}
}

/** Asks for the key only where the version has already failed. */
class VersionBeforeKey extends ModelRecord {
  protected override protocol(): readonly Test[] {
    const knownOrConflict: Test = (conversation, turn) =>
      this.sameVersion(conversation, turn) && (this.newKey(conversation, turn) ?? { outcome: 'conflict' });
    return [knownOrConflict, this.timerWaits, this.sameEpoch];
  }
}

class NoHeadOfLine extends ModelRecord {
  protected override mayGo(): boolean {
    return true;
  }
}

class AnyoneSettles extends ModelRecord {
  protected override holds(): boolean {
    return true;
  }
}

/** Judges a turn in one statement and writes it in the next: the lock is gone in between. */
class LockReleased extends ModelRecord {
  judge(turn: TurnCommit): CommitResult | undefined {
    const conversation = this.conversations.get(turn.conversationId);
    if (!conversation) return { outcome: 'gone' };
    for (const test of this.protocol()) {
      const result = test(conversation, turn);
      if (result) return result;
    }
    return undefined;
  }

  writeJudged(turn: TurnCommit): CommitResult {
    const conversation = this.conversations.get(turn.conversationId);
    return conversation ? this.write(conversation, turn) : { outcome: 'gone' };
  }
}

const judgedThenWritten: NonNullable<Defect['turnRecord']> = (real, { parts: { process, record } }) => ({
  ...real,
  async commit(turn) {
    const spoiled = record as LockReleased;
    const refused = await process.ask('judging', () => spoiled.judge(turn));
    return refused ?? process.ask('writing', () => spoiled.writeJudged(turn));
  },
});

/** Changes what the gate hands to the record. */
const committing =
  (change: (turn: TurnCommit, instance: Instance) => TurnCommit): NonNullable<Defect['turnRecord']> =>
  (real, instance) => ({ ...real, commit: (turn) => real.commit(change(turn, instance)) });

/** The state is saved by itself afterwards, whoever wrote last. */
const savedApart: NonNullable<Defect['turnRecord']> = (real, { parts: { process, record } }) => ({
  ...real,
  async commit(turn) {
    const result = await real.commit({ ...turn, state: null });
    const { state, conversationId } = turn;
    if (result.outcome === 'ok' && state) {
      await process.ask('saving', () => {
        const conversation = record.conversations.get(conversationId);
        if (conversation) conversation.state = state;
      });
    }
    return result;
  },
});

/** Replies are queued by themselves, after the turn. */
const queuedApart: NonNullable<Defect['turnRecord']> = (real, { parts: { process, record } }) => ({
  ...real,
  async commit(turn) {
    const result = await real.commit({ ...turn, outbox: null });
    if (result.outcome === 'ok' && turn.outbox) {
      await process.ask('queueing', () => record.enqueue(turn, result.causeSeq));
    }
    return result;
  },
});

/** The customer's page is told of the replies before they are recorded. */
const shownFirst: NonNullable<Defect['turnRecord']> = (real, instance) => ({
  ...real,
  commit(turn) {
    const { conversationId } = turn;
    const seq = instance.parts.record.conversations.get(conversationId)?.seq ?? 0;
    const shared = { conversationId, turn: turn.seen + 1, at: new Date(0).toISOString() };
    const activities = [turn.cause, ...turn.replies.map((reply) => ({ ...reply, direction: 'out' as const }))].map(
      (row, index) => ({ ...shared, ...row, seq: seq + 1 + index }),
    );
    instance.wake.publish({ conversationId, seq: seq + activities.length, activities });
    return real.commit(turn);
  },
});

/** Replies go straight to the outside; the turn is recorded when they have left. */
const sentFirst: NonNullable<Defect['turnRecord']> = (real, { parts: { process, record, sender } }) => ({
  ...real,
  async commit(turn) {
    const { conversationId, outbox } = turn;
    const seq = record.conversations.get(conversationId)?.seq ?? 0;
    const activities = turn.replies.map((reply, index) => ({
      ...reply,
      conversationId,
      seq: seq + 2 + index,
      turn: turn.seen + 1,
      direction: 'out' as const,
      at: '',
    }));
    if (outbox)
      await sender(process)
        .send({ route: outbox.route, activities })
        .catch(() => undefined);
    return real.commit(turn);
  },
});

/** The client hears "done" while the turn is still to be run. */
const acknowledgedFirst = (real: TurnGate, { parts: { record } }: Instance): TurnGate => ({
  receive(inbound): Promise<TurnOutcome> {
    const { conversationId } = inbound;
    const seq = (record.conversations.get(conversationId)?.seq ?? 0) + 1;
    void real.receive(inbound);
    const cause = {
      conversationId,
      seq,
      turn: 0,
      direction: 'in' as const,
      speaker: 'customer' as const,
      at: '',
      body: {},
    };
    return Promise.resolve({ status: 'done', activities: [cause] });
  },
});

/** Keys are remembered beside the record only, as in Redis; the memory goes with a crash. */
function rememberedInRedis(): NonNullable<Defect['gate']> {
  const memories = new WeakMap<ModelRecord, Map<string, TurnOutcome>>();
  return (real, { parts: { record } }) => {
    const memory = new Map<string, TurnOutcome>();
    memories.set(record, memory);
    return {
      async receive(inbound) {
        const known = memories.get(record)?.get(inbound.key);
        if (known?.status === 'done') return { status: 'repeat', activities: known.activities };
        const outcome = await real.receive(inbound);
        memories.get(record)?.set(inbound.key, outcome);
        return outcome;
      },
    };
  };
}

const loadForgetsKeys: NonNullable<Defect['record']> = class extends NoUniqueKey {
  protected override seqOf(): undefined {
    return undefined;
  }
};

/** A turn that lost the race is written again as it was run, on whatever the conversation is now. */
const cacheBelieved: NonNullable<Defect['turnRecord']> = (real) => ({
  ...real,
  async commit(turn) {
    const result = await real.commit(turn);
    if (result.outcome !== 'conflict') return result;
    const loaded = await real.load(turn.conversationId, turn.key);
    if (loaded.found !== 'conversation') return result;
    const { version: seen, epoch } = loaded.turn;
    return real.commit({ ...turn, seen, epoch });
  },
});

/** A commit whose connection was lost counts as done. */
const unknownIsDone: NonNullable<Defect['turnRecord']> = (real, { parts: { record } }) => ({
  ...real,
  async commit(turn) {
    try {
      return await real.commit(turn);
    } catch (error) {
      if (!(error instanceof CodedError && error.code === 'database_unknown')) throw error;
      const causeSeq = (record.conversations.get(turn.conversationId)?.seq ?? 0) + 1;
      return { outcome: 'ok', version: turn.seen + 1, causeSeq, at: '', numbers: {}, epoch: turn.epoch };
    }
  },
});

/** The bot does not look whose conversation it is. */
const ownerUnseen: NonNullable<Defect['turnRecord']> = (real) => ({
  ...real,
  async load(conversation, key) {
    const loaded = await real.load(conversation, key);
    return loaded.found === 'conversation' ? { ...loaded, turn: { ...loaded.turn, owner: 'bot' } } : loaded;
  },
});

/** A turn that sets no timer row for its late answer, and does not look for one. */
function timerless(turn: TurnCommit): TurnCommit {
  const { firing, ...rest } = turn;
  const timersSet = turn.timersSet.filter(({ kind }) => kind !== 'answer');
  return { ...rest, timersSet, ...(firing !== undefined && !lateKey.test(turn.key) && { firing }) };
}

/** The answer is remembered by a timer of this process, which dies with it. */
const remindedInMemory: NonNullable<Defect['turnRecord']> = (real, instance) => ({
  ...real,
  async commit(turn) {
    const { conversationId } = turn;
    const { process } = instance.parts;
    const result = await real.commit(timerless(turn));
    for (const { dueInMs, ...timer } of turn.timersSet.filter(({ kind }) => kind === 'answer')) {
      const due = new Date(process.timeline.now + dueInMs).toISOString();
      process.resume(
        dueInMs,
        'setTimeout',
        () => void instance.turns.fire({ ...timer, conversationId, due }).catch(() => undefined),
      );
    }
    return result;
  },
});

/** A failed batch fails for everybody in it. */
function allOrNone(commitTurns: CommitTurns): { commit: (turn: TurnCommit) => Promise<CommitResult> } {
  let waiting: { turn: TurnCommit; resolve: (result: CommitResult) => void; reject: (error: unknown) => void }[] = [];
  let busy = false;
  const serve = async (): Promise<void> => {
    if (busy || waiting.length === 0) return;
    busy = true;
    const batch = waiting;
    waiting = [];
    try {
      const results = await commitTurns(batch.map(({ turn }) => turn));
      for (const [place, { resolve }] of batch.entries()) resolve(results[place] as CommitResult);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    busy = false;
    await serve();
  };
  return {
    commit: (turn) =>
      new Promise((resolve, reject) => {
        waiting.push({ turn, resolve, reject });
        void serve();
      }),
  };
}

const anyKey = (turn: TurnCommit, instance: Instance): TurnCommit =>
  lateKey.test(turn.key) ? { ...turn, key: `${turn.key}:${instance.newId()}` } : turn;

/** The end of a visit counts as set before its turn is recorded. */
const armedFirst: NonNullable<Defect['visits']> = (real) => ({
  begin(conversation) {
    const beginning = real.begin(conversation);
    beginning.recorded();
    return beginning;
  },
});

/** Each under the name of what was done wrong. */
export const simulated: Readonly<Record<string, Defect>> = {
  'no unique key': { record: NoUniqueKey },
  'the key is asked for after the version': { record: VersionBeforeKey },
  'no version check, the lease alone': { record: without('sameVersion') },
  "eTag '*': the state is saved without a version": { turnRecord: savedApart },
  'shown before the commit': { turnRecord: shownFirst },
  'sent before the commit': { turnRecord: sentFirst },
  'queued after the commit': { turnRecord: queuedApart },
  'acknowledged before the commit': { gate: acknowledgedFirst },
  'Redis remembers the keys, the record does not': { record: loadForgetsKeys, gate: rememberedInRedis() },
  'no head of line': { record: NoHeadOfLine },
  'anybody settles a message, lease or not': { record: AnyoneSettles },
  'no epoch check': { record: without('sameEpoch') },
  'the bot does not look who owns the conversation': { turnRecord: ownerUnseen },
  'the lock is released before the commit': { record: LockReleased, turnRecord: judgedThenWritten },
  'the timer is a setTimeout': { turnRecord: remindedInMemory },
  'a late answer without a timer': { turnRecord: committing(timerless) },
  "a timer without the gate's key and without asking whether it fired": {
    record: without('timerWaits'),
    turnRecord: committing(anyKey),
  },
  'the client tries again under a new key': { retryKey: (key, attempt) => `${key}:${attempt}` },
  'a failed batch fails for all in it': { lane: allOrNone },
  'the cached state is believed on a conflict': { turnRecord: cacheBelieved },
  'a lost connection counts as committed': { turnRecord: unknownIsDone },
  'the end of a visit counts as set before the commit': { visits: armedFirst },
  'a visit ends on whatever version there is': { judged: () => undefined },
  'hints are believed, sockets never compared': { neverSweeps: true },
};
