/** One instance of the service: the real gate, commit lane, sender and stream, on a process that may die and a modelled record. */

import type { Inbound, Sender, TurnGate, TurnOutcome, Wake, WakeHint } from '../../../adapters/channel.ts';
import { CodedError } from '../../../adapters/channel.ts';
import { Stream } from '../../../adapters/directline/stream.ts';
import { LocalWake } from '../../../adapters/redis/local-wake.ts';
import { CommitLane, type CommitTurns } from '../../../bot/commit-lane.ts';
import { deliverFrom, type Outbox } from '../../../bot/delivery.ts';
import type { Log } from '../../../bot/log.ts';
import { Turns } from '../../../bot/turn.ts';
import { Visits } from '../../../bot/visits.ts';
import type { Attempt, LeasedMessage } from '../../../record/outbox.ts';
import type { TimerRow, TurnCommit, TurnRecord } from '../../../record/types.ts';
import { createCountingBot } from './bot.ts';
import { type MessageState, type ModelMessage, type ModelRecord, StatementRefused } from './model-record.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import { silentMetrics } from './silent.ts';

/** What an instance shares with the rest of the world. */
export interface InstanceParts {
  readonly name: string;
  readonly process: Process;
  readonly random: Random;
  readonly record: ModelRecord;
  /** Tells the other instances; may be lost. Absent without Redis. */
  readonly tellOthers: ((hint: WakeHint) => void) | undefined;
  readonly sender: (process: Process) => Sender;
  /** Something happened that must never happen. */
  readonly violated: (sentence: string) => void;
  readonly defect: Defect;
}

/** Where a seeded defect takes the place of a part. Absent parts are the real ones. */
export interface Defect {
  readonly record?: new (now: () => number) => ModelRecord;
  /** Between the gate and the record. */
  readonly turnRecord?: (real: TurnRecord, instance: Instance) => TurnRecord;
  readonly lane?: (commit: CommitTurns) => Pick<CommitLane, 'commit'>;
  readonly gate?: (real: TurnGate, instance: Instance) => TurnGate;
  readonly wake?: (real: Wake, instance: Instance) => Wake;
  readonly sender?: (real: Outbox, instance: Instance) => Outbox;
  /** The key of a message sent again. */
  readonly retryKey?: (key: string, attempt: number) => string;
  readonly visits?: (real: Visits) => Pick<Visits, 'begin'>;
  /** The version a visit is judged over on, as the gate is told it. */
  readonly judged?: (version: number) => number | undefined;
  /** Sockets are looked after only when a hint comes. */
  readonly neverSweeps?: boolean;
}

/** Shorter than in the bank, so that a day holds several visits. */
export const VISIT_QUIET_MS = 60_000;

const NO_CLOCK = 2 ** 31 - 1;
const TIMERS_AT_ONCE = 64;

/** A running instance. It lives exactly as long as its process. */
export class Instance {
  readonly parts: InstanceParts;
  readonly turns: Turns;
  readonly gate: TurnGate;
  readonly stream: Stream;
  readonly wake: Wake;
  readonly #lane: Pick<CommitLane, 'commit'>;
  #ids = 0;
  #delivering = false;
  #ringing = false;

  constructor(parts: InstanceParts) {
    this.parts = parts;
    const { process, random, defect, record } = parts;
    const wake = this.#createWake();
    this.wake = defect.wake?.(wake, this) ?? wake;
    const commit: CommitTurns = (turns) => {
      process.chaos.note(turns.length === 1 ? 'commit of one' : 'commit of several');
      return process.ask('commit', () => record.commits(turns));
    };
    this.#lane = defect.lane?.(commit) ?? new CommitLane(commit, 1, () => process.timeline.now);
    const turnRecord = this.#createTurnRecord();
    const visits = new Visits(
      () => this.newId(),
      () => process.timeline.now,
      VISIT_QUIET_MS,
    );
    this.turns = new Turns({
      record: defect.turnRecord?.(turnRecord, this) ?? turnRecord,
      bot: createCountingBot(process, random),
      masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_, text) => ({ text, erased: [] }) },
      wake: this.wake,
      visits: defect.visits?.(visits) ?? visits,
      ...(parts.tellOthers && { lease: { take: () => this.pause(random.chance(0.8) ? 1 : 50) } }),
      log: this.#createLog(),
      metrics: silentMetrics,
      newId: () => this.newId(),
      within: (work, ms) => process.within(work, ms),
    });
    this.gate = defect.gate?.(this.turns, this) ?? this.turns;
    this.stream = this.#createStream();
    this.wake.subscribe((hint) => this.stream.hear(hint));
    this.wake.subscribe(({ queued }) => {
      if (queued) this.deliver();
    });
  }

  newId(): string {
    this.#ids += 1;
    return `${this.parts.name}-${this.#ids}`;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.parts.process.resume(ms, 'pause', resolve);
    });
  }

  /** A request came in; `answer` is its response, which dies with the process. */
  receive(inbound: Inbound, answer: (outcome: TurnOutcome) => void): void {
    const { process } = this.parts;
    void this.gate.receive(inbound).then((outcome) => {
      process.chaos.note(`outcome ${outcome.status}`);
      process.resume(0, 'acknowledging', () => answer(outcome));
    });
  }

  /** Sends what the outbox holds, as the loop of the service does. */
  deliver(): void {
    if (this.#delivering || !this.parts.process.alive) return;
    this.#delivering = true;
    void this.#deliver().finally(() => {
      this.#delivering = false;
    });
  }

  /** Rings the timers that are due, as the loop of the service does. */
  ring(): void {
    if (this.#ringing || !this.parts.process.alive) return;
    this.#ringing = true;
    void this.#ring()
      .catch(ignoreAbsentDatabase)
      .finally(() => {
        this.#ringing = false;
      });
  }

  async #deliver(): Promise<void> {
    const { defect, process, random } = this.parts;
    const real = this.#createOutbox();
    const outbox = defect.sender?.(real, this) ?? real;
    const sending = {
      senders: [this.parts.sender(process)],
      newId: () => this.newId(),
      random: () => random.next(),
      log: this.#createLog(),
      metrics: silentMetrics,
      pollMs: 0,
    };
    try {
      while (await deliverFrom(outbox, sending));
    } catch (error) {
      ignoreAbsentDatabase(error);
    }
  }

  async #ring(): Promise<void> {
    const { process, record } = this.parts;
    const due = await process.ask('due timers', () => record.takeDueTimers(TIMERS_AT_ONCE));
    if (due.length > 0) process.chaos.note('timer rung');
    await Promise.all(due.map((timer) => this.#ringOne(timer)));
  }

  async #ringOne(timer: TimerRow): Promise<void> {
    const { process, record, defect } = this.parts;
    switch (timer.kind) {
      case 'answer':
        return this.turns.fire(timer);
      case 'idle': {
        const quietOn = await process.ask('judging a visit', () => record.judgeIdle(timer, VISIT_QUIET_MS));
        process.chaos.note(quietOn === null ? 'visit goes on' : 'visit ends');
        if (quietOn !== null) await this.turns.fire(timer, defect.judged ? defect.judged(quietOn) : quietOn);
      }
    }
  }

  #createTurnRecord(): TurnRecord {
    const { process, record, violated } = this.parts;
    return {
      load: (conversation, key) => process.ask('load', () => record.load(conversation, key)),
      commit: async (turn: TurnCommit) => {
        try {
          const result = await this.#lane.commit(turn);
          process.chaos.note(`commit ${result.outcome}`);
          if (turn.timersSet.some(({ kind }) => kind === 'answer')) process.chaos.note('late answer');
          return result;
        } catch (error) {
          if (error instanceof StatementRefused && error.conversationId !== turn.conversationId)
            violated('A turn the record refused took another one with it.');
          throw error;
        }
      },
      rows: (conversation, seq) => process.ask('rows', () => record.rows(conversation, seq)),
      begin: (thread) => process.ask('begin', () => record.begin(thread)),
    };
  }

  #createOutbox(): Outbox {
    const { process, record } = this.parts;
    return {
      lease: async ({ limit, leaseMs, leaseToken }) => {
        await process.ask('lapse of leases', () => record.lapseLeases());
        const messages = await process.ask('lease', () => record.leaseHeads(limit, leaseMs, leaseToken));
        return Promise.all(messages.map((message) => this.#withActivities(message, leaseToken)));
      },
      settle: (message, attempt) => {
        const { state, afterMs } = afterAttempt(message, attempt);
        return process.ask('settling', () => record.settle(message.id, message.leaseToken, state, afterMs));
      },
    };
  }

  async #withActivities(message: ModelMessage, leaseToken: string): Promise<LeasedMessage> {
    const { process, record } = this.parts;
    const { id, conversationId, seqFrom, seqTo, channel, route, tries } = message;
    const activities = await process.ask('reading a message', () =>
      record.rowsAfter(conversationId, seqFrom - 1, seqTo - seqFrom + 1),
    );
    return { id, conversationId, channel, route, class: message.class, tries, leaseToken, activities };
  }

  #createWake(): Wake {
    const { process, tellOthers, violated } = this.parts;
    const local = new LocalWake((error) => violated(`A listener failed on a hint: ${String(error)}`));
    return {
      subscribe: (listener) => local.subscribe(listener),
      publish: (hint) => {
        if (!process.leaves('waking')) return;
        local.publish(hint);
        if (hint.elsewhere !== true) tellOthers?.(hint);
      },
    };
  }

  #createStream(): Stream {
    const { process, record } = this.parts;
    return new Stream({
      record: {
        rowsAfter: (conversation, seq, limit) =>
          process.ask('rows after', () => record.rowsAfter(conversation, seq, limit)),
        // A reader's family is named after the conversation it reads.
        sweep: (watched) =>
          process.ask('sweep', () =>
            watched.flatMap(({ family, seq: shown }, index) => {
              const seq = record.conversations.get(family)?.seq ?? 0;
              return seq > shown ? [{ index, finding: 'behind' as const, seq }] : [];
            }),
          ),
      },
      clock: () => new Date(process.timeline.now),
      log: this.#createLog(),
      metrics: undefined,
      limits: {
        sweepMs: NO_CLOCK,
        pingMs: NO_CLOCK,
        bufferedBytes: Number.MAX_SAFE_INTEGER,
        page: 3,
        socketsPerConversation: 8,
        sockets: 1_000,
        framesPerPing: 1_000,
      },
    });
  }

  /** Nobody reads it; but a statement the record refuses is a defect, unless no record could keep the message. */
  #createLog(): Log {
    const { violated, process } = this.parts;
    const listen = ({ msg_code: code, err }: { msg_code?: string; err?: unknown }): void => {
      if (!process.alive) return;
      process.chaos.note(`log ${code}`);
      const expected = err instanceof StatementRefused && err.code === '22P02';
      if (code === 'turn_defect' && !expected) violated(`The gate met a defect: ${String(err)}`);
    };
    return { debug: listen, info: listen, warn: listen, error: listen } as unknown as Log;
  }
}

export function afterAttempt(message: LeasedMessage, attempt: Attempt): { state: MessageState; afterMs: number } {
  const again = message.tries < 8;
  switch (attempt.result) {
    case 'sent':
      return { state: 'done', afterMs: 0 };
    case 'refused':
      return { state: 'failed', afterMs: 0 };
    case 'retry':
      return again ? { state: 'ready', afterMs: attempt.afterMs } : { state: 'failed', afterMs: 0 };
    case 'unknown':
      return again ? { state: 'ready', afterMs: 10_000 } : { state: 'unknown', afterMs: 0 };
  }
}

/** A round that failed because the database was away is tried again by the next poll. */
function ignoreAbsentDatabase(error: unknown): void {
  if (!(error instanceof CodedError)) throw error;
}
