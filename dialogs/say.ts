/** How the assistant says something: the text, and what the customer may tap in answer. */

import { type Activity, ActivityTypes, type TurnContext } from 'botbuilder';
import type { Strings } from './strings/zh.ts';
import { stringsOf } from './turn.ts';
import { visitOf } from './visit.ts';

/** What goes with a text. */
export interface Beside {
  /** Suggested answers. Only on the last message of a turn: clients show no others. */
  readonly chips?: readonly string[];
  /** Facts for the record, such as which article answered. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export async function say(context: TurnContext, text: string, { chips = [], facts }: Beside = {}): Promise<void> {
  const offered =
    chips.length > 0 && visitOf(context).otherLanguage > 0 ? [...chips, stringsOf(context).chips.otherLanguage] : chips;
  await context.sendActivity(message(text, offered, facts));
}

/** What a customer is told when the turn failed: spoken by the gate, outside any dialog. */
export function failureReply(strings: Strings, hotline: string): Partial<Activity> {
  return message(strings.failure(hotline), [strings.chips.person], { ai: true });
}

function message(text: string, chips: readonly string[], facts?: Beside['facts']): Partial<Activity> {
  return {
    type: ActivityTypes.Message,
    text,
    textFormat: 'markdown',
    ...(chips.length > 0 && { suggestedActions: { to: [], actions: chips.map(asAction) } }),
    ...(facts && { channelData: facts }),
  };
}

/** Tapping it says it: what the customer chose reads like a message of theirs. */
function asAction(chip: string): { type: string; title: string; value: string } {
  return { type: 'imBack', title: chip, value: chip };
}
