/** Records that a customer wants a person, and says honestly what happens next. */

import type { TurnContext } from 'botbuilder';
import { Dialog, type DialogContext, type DialogTurnResult } from 'botbuilder-dialogs';
import { say } from './say.ts';
import { stringsOf, turnOf } from './turn.ts';
import { forgive, visitOf } from './visit.ts';

export const HANDOFF = 'handoff';

/** Names the request in a reply; the commit of the turn puts its number there. */
const REF = 'handoff';

/** An ordinary request for a person: urgent matters come before it, advice after. */
const PRIORITY = 3;

/** Why a person is needed: asked for, nothing found three times, or said to be wrong three times. */
export type HandoffCode = 'ASKED' | 'MISSED' | 'NEGATIVE';

export interface HandoffOptions {
  readonly code: HandoffCode;
}

/** Begins and ends in one turn: while the customer waits, the assistant goes on answering. */
export class HandoffDialog extends Dialog<HandoffOptions> {
  override async beginDialog(dc: DialogContext, options?: HandoffOptions): Promise<DialogTurnResult> {
    const { context } = dc;
    const code = options?.code ?? 'ASKED';
    forgive(visitOf(context));
    turnOf(context).effects.push({ kind: 'handoff.request', ref: REF, code, priority: PRIORITY });
    await say(context, wordsFor(context, code), { chips: [stringsOf(context).chips.cancelPerson] });
    return dc.endDialog();
  }
}

function wordsFor(context: TurnContext, code: HandoffCode): string {
  const { conversation, collaborators, language, now } = turnOf(context);
  const { handoff } = stringsOf(context);
  const hours = collaborators.bank.hours[language];
  const { hotline } = collaborators.bank;
  if (conversation.openHandoff) {
    const minutes = Math.floor((now.getTime() - Date.parse(conversation.openHandoff.at)) / 60_000);
    return handoff.already(handoff.since(minutes), hours, hotline);
  }
  return code === 'ASKED' ? handoff.recorded(hours, hotline) : handoff.recordedAfterMisses(hours, hotline);
}

/** Takes back the open request. False when there is none. */
export async function cancelHandoff(context: TurnContext, chips: readonly string[]): Promise<boolean> {
  const { conversation, effects } = turnOf(context);
  if (!conversation.openHandoff) return false;
  effects.push({ kind: 'handoff.cancel' });
  await say(context, stringsOf(context).handoff.cancelled(conversation.openHandoff.number), { chips });
  return true;
}
