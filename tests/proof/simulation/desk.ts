/** Somebody of the bank: takes a conversation over while the bot is at it, says something, and leaves. */

import { CodedError } from '../../../adapters/channel.ts';
import type { CommitResult, TurnCommit } from '../../../record/types.ts';
import type { Process } from './process.ts';
import type { StaffPlan } from './scenario.ts';
import type { World } from './world.ts';

/** One member of staff at one page. */
export class Desk {
  readonly #world: World;
  readonly #process: Process;
  readonly #plan: StaffPlan;
  readonly #staff: string;
  readonly #conversationId: string;
  readonly #delivery: TurnCommit['outbox'];
  done = false;

  /** `process`: the desk's browser and the service behind it. It never dies; its exchanges with the record may fail. */
  constructor(world: World, process: Process, plan: StaffPlan, number: number) {
    this.#world = world;
    this.#process = process;
    this.#plan = plan;
    this.#staff = `staff-${number}`;
    const customer = world.customers[plan.customer % world.customers.length];
    this.#conversationId = customer?.conversationId ?? '';
    const pushed = customer?.plan.delivery === 'outbox';
    this.#delivery = pushed ? { channel: 'azure', route: this.#conversationId, class: 'must' } : null;
  }

  async work(): Promise<void> {
    await this.#think(this.#plan.atMs);
    const epoch = await this.#takeOver();
    if (epoch === null) return this.#leave();
    for (let nth = 1; nth <= this.#plan.says; nth += 1) {
      await this.#think(this.#plan.thinksMs);
      if (!(await this.#say(epoch, nth))) return this.#leave();
    }
    await this.#think(this.#plan.thinksMs);
    await this.#handBack();
    this.#leave();
  }

  #leave(): void {
    this.done = true;
  }

  /** The epoch in which the conversation is ours; null when it is not there. */
  async #takeOver(): Promise<number | null> {
    const result = await this.#commit('take-over', 'staff', (owner) => owner === this.#staff, {
      owner: this.#staff,
    });
    if (result?.outcome !== 'ok') return null;
    this.#world.chaos.note('take-over');
    return result.epoch;
  }

  /** Speaks as the page shows it: in the epoch of our take-over, whatever has happened since. */
  async #say(epoch: number, nth: number): Promise<boolean> {
    const body = { type: 'message', text: `${this.#staff} says ${nth}`, value: { staff: this.#staff } };
    const result = await this.#commit(`say-${nth}`, 'staff', () => false, {
      epoch,
      replies: [{ speaker: 'staff', body }],
    });
    this.#world.chaos.note(`staff text ${result?.outcome}`);
    return result?.outcome === 'ok';
  }

  async #handBack(): Promise<void> {
    await this.#commit('hand-back', 'staff', (owner) => owner !== this.#staff, { owner: this.#plan.leavesTo });
  }

  /** Tries until it is known to be done or known to be refused. Null when `pointless` says so of the present owner. */
  async #commit(
    what: string,
    speaker: 'staff',
    pointless: (owner: string) => boolean,
    more: Partial<TurnCommit>,
  ): Promise<CommitResult | null> {
    const { record } = this.#world;
    const conversationId = this.#conversationId;
    const key = `desk:${conversationId}:${this.#staff}:${what}`;
    for (;;) {
      try {
        const loaded = await this.#process.ask('desk load', () => record.load(conversationId, key));
        if (loaded.found === 'repeat') return this.#known(loaded.causeSeq);
        if (loaded.found !== 'conversation' || pointless(loaded.turn.owner)) return null;
        const { version: seen, epoch } = loaded.turn;
        const cause = { direction: 'event' as const, speaker, body: { type: 'event', name: what } };
        const base = { conversationId, seen, epoch, key, cause };
        const empty = { replies: [], state: null, effects: [], outbox: this.#delivery, timersSet: [] };
        const turn = { ...base, ...empty, ...more };
        const [result] = await this.#process.ask('desk commit', () => record.commits([turn]));
        if (result === undefined) continue;
        if (result.outcome === 'duplicate') return this.#known(result.causeSeq);
        if (result.outcome === 'conflict') continue;
        if (result.outcome === 'ok') this.#tell();
        return result;
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        await this.#think(500);
      }
    }
  }

  /** An earlier try had been written, and its answer lost. */
  #known(causeSeq: number): CommitResult {
    const conversation = this.#world.record.conversations.get(this.#conversationId);
    const row = conversation?.rows.find(({ seq }) => seq === causeSeq);
    const { turn: version = 0, at = '', epoch = 0 } = row ?? {};
    return { outcome: 'ok', version, causeSeq, at, numbers: {}, epoch };
  }

  #tell(): void {
    const seq = this.#world.record.conversations.get(this.#conversationId)?.seq ?? 0;
    this.#world.tell({ conversationId: this.#conversationId, seq }, undefined);
  }

  #think(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#process.resume(ms, 'thinking', resolve);
    });
  }
}
