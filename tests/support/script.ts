/** Conversations as scripts of what is said: a customer, the assistant's answers, and what the customer may tap. */

import type { Activity } from 'botbuilder';
import { createBotRunner } from '../../bot/runner.ts';
import type { BotRunner } from '../../bot/turn.ts';
import { en } from '../../dialogs/strings/en.ts';
import { zh } from '../../dialogs/strings/zh.ts';
import type { DialogCollaborators } from '../../dialogs/turn.ts';
import type { Effect, TurnState } from '../../record/types.ts';

/** What the assistant answered in one turn. */
export interface Answer {
  readonly activities: readonly Partial<Activity>[];
  /** The messages' texts, in order. */
  readonly texts: readonly string[];
  /** What the customer may tap: the suggested actions of the last message. */
  readonly chips: readonly string[];
  readonly effects: readonly Effect[];
}

/** Whoever can be talked to: the bot in process, or the whole service over a channel. */
export interface Partner {
  /** Says a text, or does what an activity stands for. */
  hears(said: string | Partial<Activity>): Promise<Answer>;
}

/**
 * Plays a script against a partner and throws at the first line that does not hold. One line each:
 * `customer: text` says it, `bot: text` must occur in the next message, `chips: a | b` must be all there is to tap,
 * `silence:` means that nothing is answered. Messages that no `bot:` line asks for are allowed only after the last one.
 *
 * @example await play(bot, `
 *   customer: 转人工
 *   bot: 已经为您登记人工服务
 *   chips: 取消转人工
 * `)
 */
export async function play(partner: Partner, script: string): Promise<Answer> {
  let answer: Answer = { activities: [], texts: [], chips: [], effects: [] };
  let unheard: string[] = [];
  for (const line of script.split('\n').map((text) => text.trim())) {
    if (line === '') continue;
    const [, who = '', what = ''] = /^(\w+):\s?(.*)$/u.exec(line) ?? [];
    switch (who) {
      case 'customer':
        answer = await partner.hears(what);
        unheard = [...answer.texts];
        break;
      case 'bot': {
        const heard = unheard.shift();
        if (!heard?.includes(what))
          throw new Error(`Expected the bot to say\n  ${what}\nbut it said\n  ${heard ?? '(nothing more)'}`);
        break;
      }
      case 'chips': {
        const chips = answer.chips.join(' | ');
        if (chips !== what) throw new Error(`Expected the chips\n  ${what}\nbut there were\n  ${chips}`);
        break;
      }
      case 'silence':
        if (answer.activities.length > 0)
          throw new Error(`Expected silence, but the bot said\n  ${answer.texts.join('\n  ')}`);
        break;
      default:
        throw new Error(`A script line begins with customer:, bot:, chips: or silence:, not with\n  ${line}`);
    }
  }
  return answer;
}

/** What a test decides about the bot it talks to. */
export interface BotInProcessOptions {
  readonly collaborators: Omit<DialogCollaborators, 'strings' | 'bank'>;
  readonly conversationId?: string;
  /** Ends up in every activity, as a browser sends it. */
  readonly locale?: string;
  readonly start?: Date;
}

/** The bot itself, without the gate: the state makes its way through JSON between turns, and effects are applied as the record would. */
export class BotInProcess implements Partner {
  readonly #runner: BotRunner;
  readonly #locale: string | undefined;
  #requests = 0;
  #now: Date;
  #conversation: TurnState;

  constructor({ collaborators, conversationId = 'c'.repeat(22), locale, start = NOON }: BotInProcessOptions) {
    this.#runner = createBotRunner({
      collaborators: { ...collaborators, strings: { zh, en }, bank: DEMO_BANK },
      zone: 'Asia/Shanghai',
      now: () => this.#now,
    });
    this.#locale = locale;
    this.#now = start;
    this.#conversation = {
      conversationId,
      version: 0,
      seq: 0,
      owner: 'bot',
      epoch: 0,
      state: {},
      language: null,
      languageChosen: false,
      recent: [],
      openHandoff: null,
    };
  }

  get conversation(): TurnState {
    return this.#conversation;
  }

  /** Puts another state in place of the one the last turn left, as another version of the program would find it. */
  remember(change: (state: TurnState['state']) => TurnState['state']): void {
    this.#conversation = { ...this.#conversation, state: change(this.#conversation.state) };
  }

  pass(minutes: number): void {
    this.#now = new Date(this.#now.getTime() + minutes * 60_000);
  }

  /** A page opens the chat. */
  joins(): Promise<Answer> {
    return this.hears({ type: 'event', name: 'webchat/join' });
  }

  async hears(said: string | Partial<Activity>, erased: readonly string[] = []): Promise<Answer> {
    const activity: Partial<Activity> = typeof said === 'string' ? { type: 'message', text: said } : said;
    const heard = { ...(this.#locale !== undefined && { locale: this.#locale }), ...activity };
    const { replies, state, effects } = await this.#runner.run(heard, this.#conversation, erased);
    return this.#settle(replies, state, effects);
  }

  #settle(replies: readonly Partial<Activity>[], state: TurnState['state'] | null, effects: readonly Effect[]): Answer {
    const numbers: Record<string, string> = {};
    for (const effect of effects) this.#apply(effect, numbers);
    const before = this.#conversation;
    this.#conversation = {
      ...before,
      version: before.version + 1,
      seq: before.seq + 1 + replies.length,
      state: JSON.parse(JSON.stringify(state ?? before.state)),
    };
    this.#now = new Date(this.#now.getTime() + 5_000);
    const activities = replies.map((reply) => fill(reply, numbers));
    const messages = activities.filter(({ type }) => type === 'message');
    checkManners(activities, messages);
    return {
      activities,
      texts: messages.map(({ text = '' }) => text),
      chips: (messages.at(-1)?.suggestedActions?.actions ?? []).map(({ title }) => title),
      effects,
    };
  }

  #apply(effect: Effect, numbers: Record<string, string>): void {
    const { openHandoff } = this.#conversation;
    switch (effect.kind) {
      case 'handoff.request': {
        this.#requests += openHandoff ? 0 : 1;
        const number = openHandoff?.number ?? `H20261123-${String(this.#requests).padStart(6, '0')}`;
        numbers[effect.ref] = number;
        this.#conversation = {
          ...this.#conversation,
          openHandoff: openHandoff ?? { number, at: this.#now.toISOString() },
        };
        return;
      }
      case 'handoff.cancel':
      case 'conversation.end':
        this.#conversation = { ...this.#conversation, openHandoff: null };
        return;
      case 'language':
        this.#conversation = { ...this.#conversation, language: effect.language, languageChosen: effect.chosen };
        return;
      case 'consent':
        return;
    }
  }
}

/** Noon of a Monday in Shanghai. */
const NOON = new Date('2026-11-23T04:00:00Z');

/** The bank of the tests. */
export const DEMO_BANK: DialogCollaborators['bank'] = {
  hotline: '400-000-0000',
  hours: { zh: '周一至周五 9:00–17:00', en: 'Monday to Friday, 9:00–17:00' },
};

function fill(reply: Partial<Activity>, numbers: Readonly<Record<string, string>>): Partial<Activity> {
  const filled = Object.entries(numbers).reduce(
    (json, [ref, number]) => json.replaceAll(`{{${ref}}}`, number),
    JSON.stringify(reply),
  );
  return JSON.parse(filled) as Partial<Activity>;
}

/** What holds for every turn of every conversation. */
function checkManners(activities: readonly Partial<Activity>[], messages: readonly Partial<Activity>[]): void {
  for (const message of messages) {
    if (message.channelData?.ai !== true)
      throw new Error(`A message does not say that a machine wrote it: ${message.text}`);
    if (/\{\{|undefined|\[object|NaN/u.test(message.text ?? ''))
      throw new Error(`A message has a hole in it: ${message.text}`);
    if (message !== messages.at(-1) && message.suggestedActions)
      throw new Error(`Chips before the last message: ${message.text}`);
  }
  const end = activities.findIndex(({ type }) => type === 'endOfConversation');
  if (end !== -1 && end !== activities.length - 1)
    throw new Error('The end of the conversation is not the last thing said.');
}
