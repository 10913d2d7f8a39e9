/**
 * The customer record as the design describes it, in memory: what PostgreSQL promises a turn, written a second time.
 * Each method is one statement: it happens whole, at one moment. `model-record.test.ts` compares it with PostgreSQL.
 */

import { CodedError } from '../../../adapters/channel.ts';
import { MOST_TRIES } from '../../../record/outbox.ts';
import type {
  CommitResult,
  Effect,
  Loaded,
  MessageClass,
  NewThread,
  Owner,
  RecordedActivity,
  TimerRow,
  TurnCommit,
} from '../../../record/types.ts';

/** A row of a conversation with what only the record knows of it. */
export interface ModelRow extends RecordedActivity {
  readonly epoch: number;
  readonly key: string | null;
}

export interface ModelConversation {
  readonly id: string;
  readonly channel: string;
  version: number;
  seq: number;
  owner: Owner;
  epoch: number;
  state: Readonly<Record<string, unknown>>;
  rows: ModelRow[];
  /** Who owned it in each epoch, from 0. */
  owners: Owner[];
  handoffs: { readonly number: string; readonly at: string; open: boolean }[];
}

export type MessageState = 'ready' | 'leased' | 'unknown' | 'held' | 'done' | 'failed';

export interface ModelMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  readonly channel: string;
  readonly route: string;
  readonly class: MessageClass;
  state: MessageState;
  due: number;
  tries: number;
  leaseToken: string | null;
  leasedUntil: number;
  /** How often it was settled for good. More than once is a defect. */
  settlements: number;
}

export interface ModelTimer {
  readonly id: string;
  readonly kind: TimerRow['kind'];
  readonly conversationId: string;
  readonly subject: string;
  due: number;
  readonly payload: Readonly<Record<string, unknown>>;
  state: 'waiting' | 'fired';
  leasedUntil: number;
  /** How many commits fired it. More than one is a defect. */
  firings: number;
}

/** The record raises: the statement broke a rule of the tables, or carries what cannot be stored. Nothing was done. */
export class StatementRefused extends Error {
  readonly code: string;
  /** Whose turn broke the statement. */
  readonly conversationId: string;

  constructor(code: string, conversationId: string) {
    super(`The statement was refused (${code}).`);
    this.code = code;
    this.conversationId = conversationId;
  }
}

/** A message that no record can keep; the text stands for half a character, or a byte that is none. */
export const UNSTORABLE = 'unstorable';

/** Tests a turn before it is written; undefined lets it pass. */
export type Test = (conversation: ModelConversation, turn: TurnCommit) => CommitResult | undefined;

/** How long whoever took a due timer has, before another instance may. */
const TIMER_LEASE_MS = 15_000;

/** The record. `now`: milliseconds of the virtual clock. */
export class ModelRecord {
  readonly conversations = new Map<string, ModelConversation>();
  readonly outbox: ModelMessage[] = [];
  readonly timers: ModelTimer[] = [];
  readonly now: () => number;
  readonly #keys = new Map<string, { readonly conversationId: string; readonly seq: number }>();
  #handoffs = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  begin({ conversationId, channel }: Pick<NewThread, 'conversationId' | 'channel'>): void {
    if (this.conversations.has(conversationId)) return;
    this.conversations.set(conversationId, {
      id: conversationId,
      channel,
      version: 0,
      seq: 0,
      owner: 'bot',
      epoch: 0,
      state: {},
      rows: [],
      owners: ['bot'],
      handoffs: [],
    });
  }

  load(conversationId: string, key: string): Loaded {
    const found = this.conversations.get(conversationId);
    if (!found) return { found: 'nothing' };
    const causeSeq = this.seqOf(key, conversationId);
    if (causeSeq !== undefined) return { found: 'repeat', causeSeq };
    const { version, seq, owner, epoch, state, rows } = found;
    const openHandoff = found.handoffs.find(({ open }) => open);
    return {
      found: 'conversation',
      turn: {
        conversationId,
        version,
        seq,
        owner,
        epoch,
        state,
        language: null,
        languageChosen: false,
        recent: rows
          .flatMap(({ direction, body }) => (direction === 'in' && 'text' in body ? [String(body.text)] : []))
          .slice(-3),
        openHandoff: openHandoff ? { number: openHandoff.number, at: openHandoff.at } : null,
      },
    };
  }

  /** One turn: key, version, timer, owner, write. */
  protected commit(turn: TurnCommit): CommitResult {
    if (turn.cause.body.text === UNSTORABLE) throw new StatementRefused('22P02', turn.conversationId);
    const conversation = this.conversations.get(turn.conversationId);
    if (!conversation) return { outcome: 'gone' };
    for (const test of this.protocol()) {
      const result = test(conversation, turn);
      if (result) return result;
    }
    return this.write(conversation, turn);
  }

  /** Several turns in one commit, in the order of their conversations; results in the order given. One that raises undoes all. */
  commits(turns: readonly TurnCommit[]): readonly CommitResult[] {
    const results = new Map<TurnCommit, CommitResult>();
    const undo = turns.map((turn) => this.#remember(turn));
    try {
      for (const turn of turns.toSorted((one, other) => (one.conversationId < other.conversationId ? -1 : 1))) {
        results.set(turn, this.commit(turn));
      }
    } catch (error) {
      for (const restore of undo.toReversed()) restore();
      throw error;
    }
    return turns.map((turn) => results.get(turn) as CommitResult);
  }

  /** The tests of a turn, in their order. The order is the protocol. */
  protected protocol(): readonly Test[] {
    return [this.newKey, this.sameVersion, this.timerWaits, this.sameEpoch];
  }

  protected readonly newKey: Test = (_, { key }) => {
    const causeSeq = this.seqOf(key);
    return causeSeq === undefined ? undefined : { outcome: 'duplicate', causeSeq };
  };

  protected readonly sameVersion: Test = ({ version }, { seen }) =>
    version === seen ? undefined : { outcome: 'conflict' };

  protected readonly timerWaits: Test = (_, { firing }) =>
    firing === undefined || this.timers.some(({ id, state }) => id === firing && state === 'waiting')
      ? undefined
      : { outcome: 'duplicate', causeSeq: 0 };

  protected readonly sameEpoch: Test = ({ epoch }, turn) =>
    epoch === turn.epoch || turn.replies.every(({ speaker }) => speaker === 'system')
      ? undefined
      : { outcome: 'not_owner' };

  /** Where a key was recorded; undefined when it was not (or not in `conversationId`, if that is given). */
  protected seqOf(key: string, conversationId?: string): number | undefined {
    const known = this.#keys.get(key);
    return known && (conversationId ?? known.conversationId) === known.conversationId ? known.seq : undefined;
  }

  /** The rules of the tables hold whatever the tests let through. */
  protected refuseSecond(conversation: ModelConversation, key: string, seq: number): void {
    if (this.#keys.has(key)) throw new StatementRefused('23505', conversation.id);
    if (conversation.rows.some((row) => row.seq === seq)) throw new StatementRefused('23505', conversation.id);
  }

  protected write(conversation: ModelConversation, turn: TurnCommit): CommitResult {
    const { id: conversationId, owner: before } = conversation;
    const causeSeq = conversation.seq + 1;
    this.refuseSecond(conversation, turn.key, causeSeq);
    const at = new Date(this.now()).toISOString();
    const version = conversation.version + 1;
    conversation.version = version;
    conversation.seq = causeSeq + turn.replies.length;
    conversation.state = turn.state ?? conversation.state;
    conversation.owner = turn.owner ?? before;
    if (conversation.owner !== before) {
      conversation.epoch += 1;
      conversation.owners.push(conversation.owner);
    }
    const numbers = this.#apply(conversation, turn.effects, at);
    const shared = { conversationId, turn: version, at };
    conversation.rows.push({ ...shared, ...turn.cause, seq: causeSeq, epoch: conversation.epoch, key: turn.key });
    for (const [index, { speaker, body }] of turn.replies.entries()) {
      conversation.rows.push({
        ...shared,
        seq: causeSeq + 1 + index,
        direction: 'out',
        speaker,
        body: fill(body, numbers),
        epoch: conversation.epoch,
        key: null,
      });
    }
    this.#keys.set(turn.key, { conversationId, seq: causeSeq });
    this.#release(turn);
    this.enqueue(turn, causeSeq);
    this.#setTimers(turn);
    return { outcome: 'ok', version, causeSeq, at, numbers, epoch: conversation.epoch };
  }

  /** The rows of the turn that begins at `causeSeq`. */
  rows(conversationId: string, causeSeq: number): readonly RecordedActivity[] {
    const rows = this.conversations.get(conversationId)?.rows ?? [];
    const turn = rows.find(({ seq }) => seq === causeSeq)?.turn;
    return rows.filter((row) => row.turn === turn).map(asRead);
  }

  rowsAfter(conversationId: string, after: number, limit: number): readonly RecordedActivity[] {
    const rows = this.conversations.get(conversationId)?.rows ?? [];
    return rows
      .filter(({ seq }) => seq > after)
      .toSorted((one, other) => one.seq - other.seq)
      .slice(0, limit)
      .map(asRead);
  }

  /** Takes timers that are due, each for one instance at a time. */
  takeDueTimers(limit: number): readonly TimerRow[] {
    const due = this.timers
      .filter((timer) => this.isDue(timer))
      .toSorted((one, other) => one.due - other.due)
      .slice(0, limit);
    for (const timer of due) timer.leasedUntil = this.now() + TIMER_LEASE_MS;
    return due.map(({ id, kind, conversationId, subject, due: at, payload }) => ({
      id,
      kind,
      conversationId,
      subject,
      due: new Date(at).toISOString(),
      payload,
    }));
  }

  isDue({ state, due, leasedUntil }: ModelTimer): boolean {
    return state === 'waiting' && due <= this.now() && leasedUntil < this.now();
  }

  /** The version on which a visit is over; null when its end was put off: somebody has spoken, or a person is waited for. */
  judgeIdle({ id, conversationId }: TimerRow, quietMs: number): number | null {
    const timer = this.timers.find((candidate) => candidate.id === id);
    const conversation = this.conversations.get(conversationId);
    if (!conversation) return null;
    const spoken = conversation.rows.findLast(({ direction }) => direction !== 'event')?.at;
    const last = conversation.handoffs.some(({ open }) => open) ? this.now() : Date.parse(spoken ?? '');
    if (timer?.state !== 'waiting' || !(last > this.now() - quietMs)) return conversation.version;
    Object.assign(timer, { due: last + quietMs, leasedUntil: -1 });
    return null;
  }

  /** A lease that ran out belongs to a sender that died: nobody knows whether it had sent. */
  lapseLeases(): void {
    for (const message of this.outbox) {
      if (message.state !== 'leased' || message.leasedUntil >= this.now()) continue;
      const again = message.class === 'must' && message.tries < MOST_TRIES;
      Object.assign(message, { state: again ? 'ready' : 'unknown', due: this.now(), leaseToken: null });
    }
  }

  /** Leases what is due: of each conversation the oldest open message, and no other. */
  leaseHeads(limit: number, leaseMs: number, leaseToken: string): readonly ModelMessage[] {
    const due = this.outbox
      .filter((message) => message.state === 'ready' && message.due <= this.now() && this.mayGo(message))
      .toSorted((one, other) => one.due - other.due)
      .slice(0, limit);
    for (const message of due) {
      const leasedUntil = this.now() + leaseMs;
      Object.assign(message, { state: 'leased', leaseToken, leasedUntil, tries: message.tries + 1 });
    }
    return due.map((message) => ({ ...message }));
  }

  /** Head of the line: no earlier message of its conversation is still open. */
  protected mayGo({ conversationId, seqFrom }: ModelMessage): boolean {
    return !this.outbox.some(
      (earlier) => earlier.conversationId === conversationId && earlier.seqFrom < seqFrom && isOpen(earlier),
    );
  }

  /** Writes down what an attempt came to. False when the lease was lost meanwhile. */
  settle(id: string, leaseToken: string, state: MessageState, afterMs: number): boolean {
    const message = this.outbox.find((candidate) => candidate.id === id);
    if (!message || !this.holds(message, leaseToken)) return false;
    const settlements = message.settlements + (state === 'ready' ? 0 : 1);
    Object.assign(message, { state, due: this.now() + afterMs, leaseToken: null, settlements });
    return true;
  }

  protected holds(message: ModelMessage, leaseToken: string): boolean {
    return message.state === 'leased' && message.leaseToken === leaseToken;
  }

  /** The customer wrote: what waited for that may go. */
  #release({ conversationId, cause }: TurnCommit): void {
    for (const message of this.outbox) {
      if (cause.direction === 'in' && message.conversationId === conversationId && message.state === 'held') {
        Object.assign(message, { state: 'ready', due: this.now() });
      }
    }
  }

  enqueue({ conversationId, outbox, replies }: TurnCommit, causeSeq: number): void {
    if (!outbox) return;
    for (const index of replies.keys()) {
      const seq = causeSeq + 1 + index;
      this.outbox.push({
        id: `${conversationId}/${seq}`,
        conversationId,
        seqFrom: seq,
        seqTo: seq,
        ...outbox,
        state: 'ready',
        due: this.now(),
        tries: 0,
        leaseToken: null,
        leasedUntil: 0,
        settlements: 0,
      });
    }
  }

  #setTimers({ conversationId, timersSet, firing }: TurnCommit): void {
    for (const { id, kind, subject, dueInMs, payload } of timersSet) {
      const taken = this.timers.some(
        (timer) => timer.kind === kind && timer.subject === subject && timer.state === 'waiting',
      );
      if (taken) continue;
      const due = this.now() + dueInMs;
      this.timers.push({
        id,
        kind,
        conversationId,
        subject,
        due,
        payload,
        state: 'waiting',
        leasedUntil: -1,
        firings: 0,
      });
    }
    const fired = this.timers.find(({ id }) => id === firing);
    if (fired) Object.assign(fired, { state: 'fired', firings: fired.firings + 1 });
  }

  #apply(conversation: ModelConversation, effects: readonly Effect[], at: string): Record<string, string> {
    const numbers: Record<string, string> = {};
    for (const effect of effects) {
      const open = conversation.handoffs.find((handoff) => handoff.open);
      switch (effect.kind) {
        case 'handoff.request': {
          if (!open) this.#handoffs += 1;
          const number = open?.number ?? `H${this.#handoffs}`;
          if (!open) conversation.handoffs.push({ number, at, open: true });
          numbers[effect.ref] = number;
          break;
        }
        case 'handoff.cancel':
        case 'conversation.end':
          if (open) open.open = false;
          break;
        case 'language':
        case 'consent':
          throw new CodedError('not_modelled', `The model does not know the effect ${effect.kind}.`);
      }
    }
    return numbers;
  }

  /** How to take back what a turn of a failing batch will have written. */
  #remember({ conversationId, key, firing }: TurnCommit): () => void {
    const conversation = this.conversations.get(conversationId);
    const kept = conversation && { ...conversation, rows: [...conversation.rows], owners: [...conversation.owners] };
    const messages = this.outbox.length;
    const timers = this.timers.length;
    const timer = this.timers.find(({ id }) => id === firing);
    const waiting = timer && { ...timer };
    const known = this.#keys.has(key);
    return () => {
      if (conversation && kept) Object.assign(conversation, kept);
      this.outbox.length = messages;
      this.timers.length = timers;
      if (timer && waiting) Object.assign(timer, waiting);
      if (!known) this.#keys.delete(key);
    };
  }
}

/** Somebody may still send it. */
export function isOpen({ state }: Pick<ModelMessage, 'state'>): boolean {
  return state === 'ready' || state === 'leased' || state === 'held';
}

function fill(body: ModelRow['body'], numbers: Readonly<Record<string, string>>): ModelRow['body'] {
  const refs = Object.entries(numbers);
  if (refs.length === 0) return body;
  return JSON.parse(refs.reduce((json, [ref, number]) => json.replaceAll(`{{${ref}}}`, number), JSON.stringify(body)));
}

function asRead({ conversationId, seq, turn, direction, speaker, at, body }: ModelRow): RecordedActivity {
  return { conversationId, seq, turn, direction, speaker, at, body };
}
