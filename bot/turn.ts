/**
 * One turn: a customer's message and everything it causes.
 * Read the state, run the bot with its words held back, write it all in one commit, and only then let anybody see it.
 */

import type { Activity } from 'botbuilder';
import type { Delivery, Inbound, Lease, TurnGate, TurnOutcome, Wake } from '../adapters/channel.ts';
import { CodedError } from '../adapters/channel.ts';
import { freshTurn } from '../record/conversations.ts';
import type {
  ActivityBody,
  CommitResult,
  Effect,
  Loaded,
  RecordedActivity,
  Speaker,
  TimerRow,
  TurnCommit,
  TurnRecord,
  TurnState,
} from '../record/types.ts';
import { Lines } from './line.ts';
import type { Log } from './log.ts';
import type { TurnMetrics } from './metrics.ts';
import { StateCache } from './state-cache.ts';
import type { VisitBeginning, Visits } from './visits.ts';

/** What running the bot on one activity came to. Nothing of it is true before the commit. */
export interface BotAnswer {
  readonly replies: readonly Partial<Activity>[];
  /** The dialog state afterwards; null when it did not change. */
  readonly state: TurnState['state'] | null;
  readonly effects: readonly Effect[];
}

/** The bot as the gate sees it. Runs are thrown away and repeated: a run must change nothing outside its answer. */
export interface BotRunner {
  run(activity: Partial<Activity>, conversation: TurnState, erased: readonly string[]): Promise<BotAnswer>;
  /** The sentence and the way to a person for a customer whose turn failed. Must not fail itself. */
  apologise(conversation: TurnState): BotAnswer;
}

/** Takes out of a message what must not be kept. What was erased is named, so that the customer can be warned. */
export interface Masker {
  mask(activity: Partial<Activity>): { readonly activity: Partial<Activity>; readonly erased: readonly string[] };
  /** Masks the rest of a number or secret that the customer's last texts began. */
  maskRest(recent: readonly string[], text: string): { readonly text: string; readonly erased: readonly string[] };
}

/** What the gate works with. Passed in, so that tests decide what time it is and what fails. */
export interface TurnGateParts {
  readonly record: TurnRecord;
  readonly bot: BotRunner;
  readonly masker: Masker;
  readonly wake: Wake;
  /** Absent when this is the only instance. */
  readonly lease?: Lease;
  /** Sets when visits end; absent, they have no end. */
  readonly visits?: Pick<Visits, 'begin'>;
  readonly log: Log;
  readonly metrics: TurnMetrics;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** What `work` resolves to, or undefined once `ms` have passed; the gate's only clock. */
  readonly within: <Result>(work: Promise<Result>, ms: number) => Promise<Result | undefined>;
  readonly limits?: Partial<TurnLimits>;
}

/** How much the gate takes on, and how long it waits. */
export interface TurnLimits {
  /** Messages of one conversation waiting or being served. */
  readonly perConversation: number;
  /** Messages waiting or being served in this process. */
  readonly inProcess: number;
  /** How many of those places only conversations held by staff may take. */
  readonly keptForStaff: number;
  /** After this long the message alone is recorded and acknowledged; the answer follows as a turn of its own. */
  readonly answerWithinMs: number;
  /** After this long the bot is given up and the customer gets an apology. */
  readonly giveUpAfterMs: number;
  /** When another instance takes over an answer whose instance died. */
  readonly answerTakeOverMs: number;
  /** How often a turn that lost a race is run again. */
  readonly reruns: number;
}

const DEFAULT_LIMITS: TurnLimits = {
  perConversation: 8,
  inProcess: 512,
  keptForStaff: 64,
  answerWithinMs: 8_000,
  giveUpAfterMs: 30_000,
  answerTakeOverMs: 45_000,
  reruns: 3,
};

/** What a turn was caused by: a customer's message, or a timer that is due. */
interface Cause {
  readonly key: string;
  readonly channel: string;
  readonly conversationId: string;
  /** What the bot is run on. */
  readonly activity: Partial<Activity>;
  readonly erased: readonly string[];
  /** What is recorded as the cause. */
  readonly row: TurnCommit['cause'];
  readonly delivery: Delivery;
  /** Nothing is to be said to it: it is recorded, and that is all. */
  readonly silent?: boolean;
  readonly firing?: string;
  /** It was decided on this version of the conversation and holds on no other. */
  readonly onlyOn?: number;
}

/** The part of a commit that depends on how the run went. */
type Decision = Pick<TurnCommit, 'replies' | 'state' | 'effects' | 'timersSet'> & { readonly wakesOwner: boolean };

/** A turn that must be run again on what the record holds now. */
const RERUN = Symbol('rerun');

/** The gate: the only code that may run a turn. */
export class Turns implements TurnGate {
  readonly #parts: TurnGateParts;
  readonly #limits: TurnLimits;
  readonly #lines: Lines;
  readonly #running = new Map<string, Promise<TurnOutcome>>();
  readonly #states = new StateCache(20_000);
  #closing = false;

  constructor(parts: TurnGateParts) {
    this.#parts = parts;
    this.#limits = { ...DEFAULT_LIMITS, ...parts.limits };
    this.#lines = new Lines(this.#limits.perConversation, this.#limits.inProcess);
    parts.metrics.watchDepth(() => this.#lines.depth);
    parts.wake.subscribe(({ conversationId, elsewhere }) => {
      if (elsewhere) this.#states.forget(conversationId);
    });
  }

  /**
   * Runs the turn of one message. Resolves when it is recorded, or when it is certain that it is not.
   * A message whose key is being served joins that turn.
   */
  receive(inbound: Inbound): Promise<TurnOutcome> {
    const running = this.#running.get(inbound.key);
    if (running) return running.then(asRepeat);
    if (this.#closing) return Promise.resolve(this.#refuse('closing', { status: 'unavailable', retryAfterSeconds: 5 }));
    if (!this.#admits(inbound.conversationId)) {
      return Promise.resolve(this.#refuse('line_full', { status: 'busy', retryAfterSeconds: 2 }));
    }
    const outcome = this.#enter(causeOfMessage(inbound, this.#parts.masker));
    this.#running.set(inbound.key, outcome);
    void outcome.finally(() => this.#running.delete(inbound.key)).catch(() => undefined);
    return outcome;
  }

  /**
   * Runs the turn of a timer that is due. A timer that has fired or was cancelled does nothing, nor does one that was
   * judged due `onlyOn` a version that the conversation has left: it waits for its next ring.
   */
  async fire(timer: TimerRow, onlyOn?: number): Promise<void> {
    if (this.#closing || !this.#lines.admits(timer.conversationId)) return;
    const cause = await this.#causeOfTimer(timer);
    if (cause) await this.#enter(onlyOn === undefined ? cause : { ...cause, onlyOn });
  }

  /** Stops taking messages and resolves when those that were taken are finished. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#lines.idle();
  }

  /** The last places are for conversations that somebody of the bank holds: those are refused last. */
  #admits(conversationId: string): boolean {
    const known = this.#states.get(conversationId);
    return this.#lines.admits(conversationId, known && speaksElsewhere(known) ? 0 : this.#limits.keptForStaff);
  }

  #refuse(reason: string, outcome: TurnOutcome): TurnOutcome {
    this.#parts.metrics.refused(reason);
    return outcome;
  }

  /** Joins the conversation's line. The outcome may be known before the line moves on: an answer that comes late keeps its place. */
  #enter(cause: Cause): Promise<TurnOutcome> {
    const done = this.#parts.metrics.begin(cause.channel);
    return new Promise((resolve) => {
      const settle = (outcome: TurnOutcome): void => {
        done(outcome.status);
        resolve(outcome);
      };
      this.#lines
        .join(cause.conversationId, () => this.#serve(cause, settle))
        .catch((error: unknown) => {
          this.#states.forget(cause.conversationId);
          const known = error instanceof CodedError && error.code.startsWith('database_');
          this.#parts.log.error(
            { msg_code: known ? error.code : 'turn_defect', err: error },
            'A turn could not be recorded; nothing was acknowledged.',
          );
          settle({ status: 'unavailable', retryAfterSeconds: 2 });
        });
    });
  }

  async #serve(cause: Cause, settle: (outcome: TurnOutcome) => void): Promise<void> {
    if (this.#parts.lease) await this.#parts.lease.take(cause.conversationId);
    for (let attempt = 0; attempt <= this.#limits.reruns; attempt += 1) {
      const loaded = await this.#load(cause);
      switch (loaded.found) {
        case 'nothing':
        case 'erased':
          settle({ status: 'unknown_conversation' });
          return;
        case 'repeat':
          settle({ status: 'repeat', activities: await this.#rows(cause, loaded.causeSeq) });
          return;
        case 'conversation': {
          if ((cause.onlyOn ?? loaded.turn.version) !== loaded.turn.version) {
            settle({ status: 'repeat', activities: [] });
            return;
          }
          const whole = maskRest(cause, loaded.turn.recent, this.#parts.masker);
          const outcome = await this.#attempt(whole, loaded.turn, settle);
          if (outcome !== RERUN) return;
          this.#parts.metrics.rerun();
        }
      }
    }
    settle(this.#refuse('too_many_conflicts', { status: 'unavailable', retryAfterSeconds: 1 }));
  }

  /** From memory when this process wrote the conversation last; the commit notices if somebody else did since. */
  async #load(cause: Cause): Promise<Loaded> {
    const cached = this.#states.get(cause.conversationId);
    if (cached && cause.onlyOn === undefined) return { found: 'conversation', turn: cached };
    const loaded = await this.#parts.record.load(cause.conversationId, cause.key);
    if (loaded.found !== 'nothing' || cause.delivery.by === 'stream') return loaded;
    await this.#begin(cause);
    return { found: 'conversation', turn: freshTurn(cause.conversationId) };
  }

  /** First contact on a channel that has no way to begin a conversation other than to speak. */
  async #begin({ conversationId, channel, activity }: Cause): Promise<void> {
    await this.#parts.record.begin({
      conversationId,
      channel,
      threadKey: conversationId,
      account: activity.channelId ?? channel,
      externalId: activity.from?.id ?? conversationId,
    });
  }

  async #attempt(
    cause: Cause,
    turn: TurnState,
    settle: (outcome: TurnOutcome) => void,
  ): Promise<typeof RERUN | undefined> {
    if (cause.silent || speaksElsewhere(turn)) return this.#commit(cause, turn, recordOnly(), settle);
    const answer = this.#answer(cause, turn);
    const mustHaveAnswer = cause.firing !== undefined || cause.delivery.by === 'inline';
    const first = await (mustHaveAnswer ? answer : this.#parts.within(answer, this.#limits.answerWithinMs));
    if (first) return this.#commit(cause, turn, decide(first, turn), settle);
    return this.#acknowledgeFirst(cause, turn, answer, settle);
  }

  /** The bot takes long: record the message now, answer in a turn of its own. A timer row covers our death in between. */
  async #acknowledgeFirst(
    cause: Cause,
    turn: TurnState,
    answer: Promise<BotAnswer>,
    settle: (outcome: TurnOutcome) => void,
  ): Promise<typeof RERUN | undefined> {
    const id = this.#parts.newId();
    let causeSeq = 0;
    const timersSet = [
      {
        id,
        kind: 'answer' as const,
        subject: cause.key,
        dueInMs: this.#limits.answerTakeOverMs,
        payload: { key: cause.key, channel: cause.channel, delivery: cause.delivery, erased: cause.erased },
      },
    ];
    const rerun = await this.#commit(cause, turn, { ...recordOnly(), timersSet }, (outcome) => {
      if (outcome.status === 'done') causeSeq = outcome.activities[0]?.seq ?? 0;
      settle(outcome);
    });
    if (rerun === RERUN || causeSeq === 0) return rerun;
    await this.#answerLate({ ...lateCause(cause, causeSeq), firing: id }, await answer);
    return undefined;
  }

  async #answerLate(cause: Cause, answer: BotAnswer): Promise<void> {
    const turn = this.#states.get(cause.conversationId);
    const rerun = turn ? await this.#commit(cause, turn, decide(answer, turn), () => undefined) : RERUN;
    if (rerun === RERUN) await this.#serve(cause, () => undefined);
  }

  /** Runs the bot; a bot that throws or never ends becomes an apology and the offer of a person. */
  async #answer(cause: Cause, turn: TurnState): Promise<BotAnswer> {
    const { bot, log, metrics, within } = this.#parts;
    try {
      const answer = await within(bot.run(cause.activity, turn, cause.erased), this.#limits.giveUpAfterMs);
      if (answer) return answer;
      log.error({ msg_code: 'bot_timeout' }, 'The bot gave no answer in time; the customer was offered a person.');
    } catch (error) {
      log.error(
        { msg_code: 'bot_error', err: error },
        'The bot failed; the message is kept and the customer was offered a person.',
      );
    }
    metrics.botError();
    return bot.apologise(turn);
  }

  async #commit(
    cause: Cause,
    turn: TurnState,
    decision: Decision,
    settle: (outcome: TurnOutcome) => void,
  ): Promise<typeof RERUN | undefined> {
    const visit = this.#beginVisit(cause);
    const timersSet = [...decision.timersSet, ...(visit?.timers ?? [])];
    const commit = toCommit(cause, turn, { ...decision, timersSet });
    const result = await this.#write(commit);
    this.#parts.metrics.committed(result.outcome);
    switch (result.outcome) {
      case 'ok': {
        visit?.recorded();
        const activities = toRows(commit, result);
        this.#states.put(stateAfter(turn, commit, result));
        this.#parts.wake.publish({
          conversationId: cause.conversationId,
          seq: turn.seq + activities.length,
          activities,
          queued: commit.outbox !== null && commit.replies.length > 0,
        });
        settle({ status: 'done', activities });
        return undefined;
      }
      case 'duplicate':
        this.#states.forget(cause.conversationId);
        settle({ status: 'repeat', activities: await this.#rows(cause, result.causeSeq) });
        return undefined;
      case 'conflict':
      case 'not_owner':
        this.#states.forget(cause.conversationId);
        return RERUN;
      case 'gone':
        this.#states.forget(cause.conversationId);
        settle({ status: 'unknown_conversation' });
        return undefined;
    }
  }

  #beginVisit({ row, activity, conversationId }: Cause): VisitBeginning | undefined {
    return row.direction === 'in' && activity.type === 'message'
      ? this.#parts.visits?.begin(conversationId)
      : undefined;
  }

  /** Writes the turn. A connection lost on the way leaves the outcome open: the key tells whether it was written. */
  async #write(commit: TurnCommit): Promise<CommitResult> {
    const { record } = this.#parts;
    try {
      return await record.commit(commit);
    } catch (error) {
      if (!(error instanceof CodedError && error.code === 'database_unknown')) throw error;
      this.#states.forget(commit.conversationId);
      const known = await record.load(commit.conversationId, commit.key);
      if (known.found === 'repeat') return { outcome: 'duplicate', causeSeq: known.causeSeq };
      return await record.commit(commit);
    }
  }

  #rows(cause: Cause, causeSeq: number): Promise<readonly RecordedActivity[]> {
    return this.#parts.record.rows(cause.conversationId, causeSeq);
  }

  /** The turn a timer row stands for. Null when what it was set for is gone. */
  async #causeOfTimer(timer: TimerRow): Promise<Cause | null> {
    switch (timer.kind) {
      case 'answer': {
        const { key, channel, delivery, erased } = timer.payload as unknown as AnswerPayload;
        const known = await this.#parts.record.load(timer.conversationId, key);
        if (known.found !== 'repeat') return null;
        const [row] = await this.#parts.record.rows(timer.conversationId, known.causeSeq);
        if (!row) return null;
        const { conversationId } = timer;
        const activity = row.body as Partial<Activity>;
        const asked = {
          key,
          channel,
          conversationId,
          activity,
          erased,
          row: { direction: 'in', speaker: 'customer', body: row.body },
          delivery,
        } as const;
        return { ...lateCause(asked, known.causeSeq), firing: timer.id };
      }
      case 'idle':
        return visitEnd(timer);
    }
  }
}

interface AnswerPayload {
  readonly key: string;
  readonly channel: string;
  readonly delivery: Delivery;
  readonly erased: readonly string[];
}

function causeOfMessage(inbound: Inbound, masker: Masker): Cause {
  const { activity, erased } = masker.mask(inbound.activity);
  const { key, channel, conversationId, delivery } = inbound;
  return {
    key,
    channel,
    conversationId,
    activity,
    erased,
    row: { direction: 'in', speaker: 'customer', body: toBody(activity) },
    delivery,
  };
}

/** The cause without the rest of a number that earlier messages began. Most messages are no part of one. */
function maskRest(cause: Cause, recent: readonly string[], masker: Masker): Cause {
  const { text } = cause.activity;
  if (cause.row.direction !== 'in' || !text || recent.length === 0) return cause;
  const rest = masker.maskRest(recent, text);
  if (rest.text === text) return cause;
  const activity = { ...cause.activity, text: rest.text };
  const erased = [...new Set([...cause.erased, ...rest.erased])];
  return { ...cause, activity, erased, row: { ...cause.row, body: toBody(activity) } };
}

/** The turn that answers a message recorded earlier: its cause is an event nobody is shown. */
function lateCause(cause: Cause, causeSeq: number): Cause {
  return {
    ...cause,
    key: `answer:${cause.conversationId}:${causeSeq}`,
    row: {
      direction: 'event',
      speaker: 'system',
      body: { type: 'event', name: 'lobby/answer', value: { seq: causeSeq } },
    },
  };
}

/** The customer has been silent for long: the visit ends, and nobody is told. */
function visitEnd({ id, conversationId }: TimerRow): Cause {
  const activity = { type: 'event', name: 'lobby/visit-ended' };
  return {
    key: `timer:${id}`,
    channel: 'timer',
    conversationId,
    activity,
    erased: [],
    row: { direction: 'event', speaker: 'system', body: activity },
    delivery: { by: 'stream' },
    silent: true,
    firing: id,
  };
}

/** Somebody of the bank holds the conversation: the bot listens and does not speak. */
function speaksElsewhere(turn: TurnState): boolean {
  return turn.owner !== 'bot' && turn.owner !== 'none';
}

function recordOnly(): Decision {
  return { replies: [], state: null, effects: [], timersSet: [], wakesOwner: false };
}

function decide(answer: BotAnswer, turn: TurnState): Decision {
  const replies = answer.replies.map((reply) => ({ speaker: 'bot' as Speaker, body: toBody(reply) }));
  return { replies, state: answer.state, effects: answer.effects, timersSet: [], wakesOwner: turn.owner === 'none' };
}

function toCommit(cause: Cause, turn: TurnState, decision: Decision): TurnCommit {
  const { wakesOwner, ...decided } = decision;
  const owner = decided.effects.some((effect) => effect.kind === 'conversation.end')
    ? 'none'
    : wakesOwner
      ? 'bot'
      : null;
  const { delivery } = cause;
  return {
    conversationId: cause.conversationId,
    seen: turn.version,
    epoch: turn.epoch,
    key: cause.key,
    cause: cause.row,
    ...decided,
    ...(owner !== null && { owner }),
    outbox: delivery.by === 'outbox' ? { channel: cause.channel, route: delivery.route, class: 'must' } : null,
    ...(cause.firing !== undefined && { firing: cause.firing }),
  };
}

type Written = Extract<CommitResult, { outcome: 'ok' }>;

/** The rows as the record now holds them, without asking it again: case numbers stand where their placeholders stood. */
function toRows(commit: TurnCommit, { causeSeq, version: turn, at, numbers }: Written): readonly RecordedActivity[] {
  const { conversationId, cause } = commit;
  const shared = { conversationId, turn, at };
  const replies = commit.replies.map(({ speaker, body }, index) => ({
    ...shared,
    seq: causeSeq + 1 + index,
    direction: 'out' as const,
    speaker,
    body: fillNumbers(body, numbers),
  }));
  return [{ ...shared, seq: causeSeq, ...cause }, ...replies];
}

function fillNumbers(body: ActivityBody, numbers: Written['numbers']): ActivityBody {
  const refs = Object.entries(numbers);
  if (refs.length === 0) return body;
  const filled = refs.reduce((json, [ref, number]) => json.replaceAll(`{{${ref}}}`, number), JSON.stringify(body));
  return JSON.parse(filled) as ActivityBody;
}

function stateAfter(before: TurnState, commit: TurnCommit, written: Written): TurnState {
  const after = {
    ...before,
    version: written.version,
    seq: written.causeSeq + commit.replies.length,
    owner: commit.owner ?? before.owner,
    epoch: written.epoch,
    state: commit.state ?? before.state,
    recent: afterText(before.recent, commit.cause),
  };
  return commit.effects.reduce((state, effect) => afterEffect(state, effect, written), after);
}

function afterText(recent: readonly string[], { direction, body }: TurnCommit['cause']): readonly string[] {
  const { text } = body as { text?: unknown };
  return direction === 'in' && typeof text === 'string' ? [...recent, text].slice(-3) : recent;
}

function afterEffect(state: TurnState, effect: Effect, { numbers, at }: Written): TurnState {
  switch (effect.kind) {
    case 'handoff.request': {
      const number = numbers[effect.ref];
      return number === undefined || state.openHandoff ? state : { ...state, openHandoff: { number, at } };
    }
    case 'handoff.cancel':
    case 'conversation.end':
      return { ...state, openHandoff: null };
    case 'language':
      return { ...state, language: effect.language, languageChosen: effect.chosen };
    case 'consent':
      return state;
  }
}

/** What of an activity is kept: its ids, time, route and parties are columns of the row or belong to the channel. */
export function toBody(activity: Partial<Activity>): ActivityBody {
  const {
    id: _id,
    timestamp: _timestamp,
    conversation: _conversation,
    recipient: _recipient,
    from: _from,
    serviceUrl: _serviceUrl,
    callerId: _callerId,
    channelId: _channelId,
    replyToId: _replyToId,
    ...kept
  } = activity;
  return kept;
}

function asRepeat(outcome: TurnOutcome): TurnOutcome {
  return outcome.status === 'done' ? { status: 'repeat', activities: outcome.activities } : outcome;
}
