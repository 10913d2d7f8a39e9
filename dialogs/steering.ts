/** Does what a customer says about the conversation itself: a person, start over, help, another language, cancel, end. Works in every state. */

import type { TurnContext } from 'botbuilder';
import type { DialogContext } from 'botbuilder-dialogs';
import { z } from 'zod';
import { type Command, readCommand } from '../knowledge/commands.ts';
import type { Language } from '../record/types.ts';
import { openingChips, takeLeave } from './greeting.ts';
import { cancelHandoff, HANDOFF, type HandoffOptions } from './handoff-dialog.ts';
import { say } from './say.ts';
import { cancelsPerson, readCourtesy, saysCancel } from './short-words.ts';
import { stringsOf, turnOf } from './turn.ts';
import { forgive, visitOf } from './visit.ts';

/** What a page sends when the customer uses its language switch. */
const LanguageEvent = z.object({
  type: z.literal('event'),
  name: z.literal('lobby/language'),
  value: z.object({ language: z.enum(['zh', 'en']) }),
});

/** The language a `lobby/language` event chooses; null for every other activity. */
export function languageChosenIn({ activity }: TurnContext): Language | null {
  if (activity.type !== 'event') return null;
  return LanguageEvent.safeParse(activity).data?.value.language ?? null;
}

/** The command in this activity, spoken or by a button. Who waits for a person may say "not after all" in many words. */
export function commandIn(context: TurnContext): Command | null {
  const language = languageChosenIn(context);
  if (language) return { kind: 'language', language };
  const text = context.activity.text ?? '';
  if (turnOf(context).conversation.openHandoff && cancelsPerson(text)) return { kind: 'cancel' };
  return readCommand(text);
}

export async function obey(dc: DialogContext, command: Command): Promise<void> {
  switch (command.kind) {
    case 'person':
      await dc.cancelAllDialogs();
      await dc.beginDialog(HANDOFF, { code: 'ASKED' } satisfies HandoffOptions);
      return;
    case 'start_over':
      return startOver(dc);
    case 'help':
      return help(dc);
    case 'cancel':
      return cancel(dc);
    case 'end':
      return end(dc);
    case 'language':
      return speak(dc, command.language);
  }
}

async function startOver(dc: DialogContext): Promise<void> {
  const { context } = dc;
  await dc.cancelAllDialogs();
  forgive(visitOf(context));
  await say(context, withWaiting(context, stringsOf(context).startOver), { chips: openingChips(context) });
}

async function help(dc: DialogContext): Promise<void> {
  await sayBeforeOpenQuestion(dc, withWaiting(dc.context, stringsOf(dc.context).help));
}

/** Puts the open question down. A waiting request is taken back only when the customer says so, not by a "never mind". */
async function cancel(dc: DialogContext): Promise<void> {
  const { context } = dc;
  const { cancel: words } = stringsOf(context);
  const text = context.activity.text ?? '';
  const hadQuestion = dc.activeDialog !== undefined;
  await dc.cancelAllDialogs();
  if ((saysCancel(text) || cancelsPerson(text)) && (await cancelHandoff(context, openingChips(context)))) return;
  await say(context, withWaiting(context, hadQuestion ? words.done : words.nothing), { chips: openingChips(context) });
}

/** Closes the chat, and with it a waiting request: so a mere goodbye does not, while one is waiting. */
async function end(dc: DialogContext): Promise<void> {
  const { context } = dc;
  const { courtesy, chips } = stringsOf(context);
  const onlyGoodbye = readCourtesy(context.activity.text ?? '') === 'bye';
  if (!onlyGoodbye || !turnOf(context).conversation.openHandoff) return takeLeave(context);
  await dc.cancelAllDialogs();
  await say(context, withWaiting(context, courtesy.bye), { chips: [chips.cancelPerson] });
}

/** The customer chose a language: what is open is said again in it. */
async function speak(dc: DialogContext, language: Language): Promise<void> {
  const { context } = dc;
  const turn = turnOf(context);
  turn.language = language;
  turn.effects.push({ kind: 'language', language, chosen: true });
  visitOf(context).otherLanguage = 0;
  await sayBeforeOpenQuestion(dc, stringsOf(context).languageSet);
}

/** Says something in between; the open question is asked again after it. */
async function sayBeforeOpenQuestion(dc: DialogContext, words: string): Promise<void> {
  await say(dc.context, words, { chips: dc.activeDialog ? [] : openingChips(dc.context) });
  if (dc.activeDialog) await dc.repromptDialog();
}

/** Reminds a waiting customer that their request stands. */
function withWaiting(context: TurnContext, words: string): string {
  const waiting = turnOf(context).conversation.openHandoff;
  return waiting ? `${words}\n\n${stringsOf(context).handoff.stillWaiting(waiting.number)}` : words;
}
