/** Runs the bot on one activity for the gate, with state and replies held back, so that a run can be thrown away. */

import { type Activity, ConversationState } from 'botbuilder';
import { failureReply } from '../dialogs/say.ts';
import { bindTurn, type DialogCollaborators, type DialogTurn } from '../dialogs/turn.ts';
import type { Effect, TurnState } from '../record/types.ts';
import { DIALOG_STATE, runBot } from './bot.ts';
import { BufferingAdapter } from './buffering-adapter.ts';
import type { BotAnswer, BotRunner } from './turn.ts';
import { TurnStorage, withoutDialogs } from './turn-storage.ts';

/** The name the Bot Framework sees: all of Lobby's conversations look alike to the dialogs, whatever channel they came by. */
const CHANNEL_ID = 'lobby';

/** A date in the bank's time zone, `YYYY-MM-DD`. */
export function bankDate(now: Date, zone: string): string {
  return dateFormat(zone).format(now);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  formats.set(zone, known);
  return known;
}

/** What the runner needs: what dialogs may ask, and what time it is. */
export interface BotRunnerParts {
  readonly collaborators: DialogCollaborators;
  readonly zone: string;
  readonly now: () => Date;
}

export function createBotRunner({ collaborators, zone, now }: BotRunnerParts): BotRunner {
  const adapter = new BufferingAdapter();

  const begin = (conversation: TurnState, erased: readonly string[]): DialogTurn & { readonly effects: Effect[] } => {
    const at = now();
    const language = conversation.language ?? 'zh';
    return { now: at, today: bankDate(at, zone), conversation, language, effects: [], erased, collaborators };
  };

  return {
    async run(activity, conversation, erased): Promise<BotAnswer> {
      const { conversationId } = conversation;
      const storage = new TurnStorage(conversation.state, CHANNEL_ID, conversationId);
      const state = new ConversationState(storage);
      const turn = begin(conversation, erased);
      const replies = await adapter.run(
        addressed(activity, conversationId),
        (context) => bindTurn(context, turn),
        async (context) => {
          await runBot(context, state);
          await state.saveChanges(context);
        },
      );
      return { replies, state: storage.pending, effects: turn.effects };
    },

    apologise(conversation): BotAnswer {
      const strings = collaborators.strings[conversation.language ?? 'zh'];
      return {
        replies: [failureReply(strings, collaborators.bank.hotline)],
        state: withoutDialogs(conversation.state, DIALOG_STATE),
        effects: [],
      };
    },
  };
}

function addressed(activity: Partial<Activity>, conversationId: string): Partial<Activity> {
  return {
    ...activity,
    channelId: CHANNEL_ID,
    conversation: { id: conversationId, name: '', conversationType: 'personal', isGroup: false },
    from: { id: 'customer', name: '', role: 'user' },
    recipient: { id: 'lobby', name: 'Lobby', role: 'bot' },
  };
}
