/** How the assistant welcomes a customer and takes leave: the AI notice is told once, the farewell is said once. */

import { ActivityTypes, EndOfConversationCodes, type TurnContext } from 'botbuilder';
import { say } from './say.ts';
import { stringsOf, turnOf } from './turn.ts';
import { close, dialogsOf, reopen, visitOf } from './visit.ts';

/** What customers ask most, by article: the first things offered to somebody who has not asked yet. */
const POPULAR = ['term-deposit-rate', 'transfer-arrival', 'branch-hours', 'transfer-limit', 'register-app'];

/** The titles of popular articles that may be shown today, in the language of the turn. */
export function popularQuestions(context: TurnContext, count = 3): readonly string[] {
  const { collaborators, language, today } = turnOf(context);
  return POPULAR.flatMap((id) => collaborators.articles.find(id, language, today)?.title ?? []).slice(0, count);
}

/** What to tap when nothing has been asked: common questions, and always a person. */
export function openingChips(context: TurnContext): readonly string[] {
  return [...popularQuestions(context), stringsOf(context).chips.person];
}

/** Welcomes a customer who has said nothing yet. */
export async function greet(context: TurnContext): Promise<void> {
  tellNotice(context);
  await say(context, stringsOf(context).greeting.full, { chips: openingChips(context) });
}

/** Welcomes a customer who began with a question: the notice first, in one breath, then the answer. */
export async function greetBriefly(context: TurnContext): Promise<void> {
  tellNotice(context);
  await say(context, stringsOf(context).greeting.short);
}

/** Takes leave and closes the chat. Silent when it is closed already. */
export async function takeLeave(context: TurnContext): Promise<void> {
  const visit = visitOf(context);
  if (visit.over) return;
  const { farewell } = stringsOf(context);
  const { conversation, effects } = turnOf(context);
  dialogsOf(context).dialogStack = [];
  close(visit);
  effects.push({ kind: 'conversation.end' });
  const waiting = conversation.openHandoff;
  await say(context, waiting ? farewell.withRequest(waiting.number) : farewell.plain);
  await context.sendActivity({
    type: ActivityTypes.EndOfConversation,
    code: EndOfConversationCodes.CompletedSuccessfully,
  });
}

/** A customer who comes back after taking leave begins afresh. */
export function comeBack(context: TurnContext): void {
  const visit = visitOf(context);
  if (visit.over) reopen(visit);
}

function tellNotice(context: TurnContext): void {
  const { effects, language } = turnOf(context);
  visitOf(context).greeted = true;
  effects.push({
    kind: 'consent',
    purpose: 'ai_notice',
    action: 'told',
    textVersion: stringsOf(context).aiNotice.version,
    language,
  });
}
