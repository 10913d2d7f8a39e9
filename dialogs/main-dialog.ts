/** Hears what a customer says and begins the dialog it belongs to: commands first, then the open question, then what the bank knows. Lists all dialogs. */

import type { TurnContext } from 'botbuilder';
import { ComponentDialog, DialogContext, DialogContextError, type DialogInstance, DialogSet } from 'botbuilder-dialogs';
import { answerCourtesy, answerWordless, noteFiles } from './courtesies.ts';
import { ENQUIRY, EnquiryDialog, type EnquiryOptions, heardNewWords } from './enquiry-dialog.ts';
import { comeBack, greet, greetBriefly, openingChips } from './greeting.ts';
import { HANDOFF, HandoffDialog, type HandoffOptions } from './handoff-dialog.ts';
import { say } from './say.ts';
import { hasWords, readCourtesy, readNegative, withoutMarks } from './short-words.ts';
import { commandIn, obey } from './steering.ts';
import { stringsOf, turnOf } from './turn.ts';
import { countNegative, dialogsOf, isOutdated, visitOf } from './visit.ts';

/**
 * The root of every conversation. One object serves them all: what it knows of one of them is in the turn's state.
 *
 * It drives the dialog stack itself and is not on it: `runDialog` would send the whole dialog memory in a trace
 * activity at the end of each turn, and every further level of the stack builds the framework's memory scopes again.
 */
export class MainDialog {
  readonly #dialogs = new DialogSet().add(new EnquiryDialog(ENQUIRY)).add(new HandoffDialog(HANDOFF));

  /** Runs one turn. */
  async run(context: TurnContext): Promise<void> {
    comeBack(context);
    const memory = dialogsOf(context);
    const lost = isOutdated(context) || !isKnown(this.#dialogs, memory.dialogStack);
    if (lost) memory.dialogStack = [];
    try {
      await hear(new DialogContext(this.#dialogs, context, memory), lost);
    } catch (error) {
      throw withoutMemory(error);
    }
  }
}

/** The order of work in a turn. Commands come before any open question, so that no dialog can swallow them. */
async function hear(dc: DialogContext, lost: boolean): Promise<void> {
  const { context } = dc;
  const text = context.activity.text ?? '';
  const command = commandIn(context);
  const courtesy = readCourtesy(text);
  const excuse = excuseFor(context, lost);

  if (!visitOf(context).greeted && command?.kind !== 'end') {
    if (courtesy === 'hello') return greet(context);
    await greetBriefly(context);
  }
  if (command) {
    if (excuse?.warns) await say(context, excuse.sorry);
    return obey(dc, command);
  }
  if (!excuse && (await heardByOpenDialog(dc))) return;
  if (excuse && !hasWords(text)) return askAgain(context, excuse);
  if (!hasWords(text)) return answerWordless(context);
  await noteFiles(context);
  if (courtesy && !excuse) return answerCourtesy(context, courtesy);
  await dc.cancelAllDialogs();
  const negative = excuse ? null : readNegative(text);
  return negative ? hearNegative(dc, negative.rest) : enquire(dc, text, excuse);
}

/** False when no dialog is open, or when what was said is no answer to it. */
async function heardByOpenDialog(dc: DialogContext): Promise<boolean> {
  if (!dc.activeDialog || (dc.context.activity.text ?? '') === '') return false;
  return !heardNewWords(await dc.continueDialog());
}

async function enquire(dc: DialogContext, text: string, excuse: Excuse | null): Promise<void> {
  const { context } = dc;
  const { collaborators, language, today } = turnOf(context);
  const titled = collaborators.articles.titled(text, language, today);
  if (titled) {
    if (excuse) await say(context, excuse.sorry);
    await dc.beginDialog(ENQUIRY, { about: 'title', article: titled } satisfies EnquiryOptions);
    return;
  }
  const understanding = await collaborators.recognizer.understand(withoutMarks(text), {
    language,
    today,
    audience: 'public',
  });
  if (excuse && understanding.band === 'miss') return askAgain(context, excuse);
  if (excuse) await say(context, excuse.sorry);
  await dc.beginDialog(ENQUIRY, { about: 'question', understanding } satisfies EnquiryOptions);
}

/** "No, I meant …": an apology, and the question in it. The third in a visit goes to a person all the same. */
async function hearNegative(dc: DialogContext, rest: string): Promise<void> {
  const { context } = dc;
  if (rest === '') {
    await dc.beginDialog(ENQUIRY, { about: 'wrong_answer' } satisfies EnquiryOptions);
    return;
  }
  const { negative } = stringsOf(context);
  const isWaiting = turnOf(context).conversation.openHandoff !== null;
  const step = isWaiting ? 'carry_on' : countNegative(visitOf(context));
  if (step === 'hand_over') {
    await dc.beginDialog(HANDOFF, { code: 'NEGATIVE' } satisfies HandoffOptions);
    return;
  }
  await say(context, step === 'offer_person' ? negative.sorryThenPerson : negative.sorryThen);
  await enquire(dc, rest, null);
}

/** Why a message that makes no sense is not the customer's fault, and what to ask of them. */
interface Excuse {
  readonly sorry: string;
  readonly sayAgain: string;
  /** The customer must hear it, whatever they asked for. */
  readonly warns: boolean;
}

function excuseFor(context: TurnContext, lost: boolean): Excuse | null {
  const { erased, lostThread } = stringsOf(context);
  if (turnOf(context).erased.length > 0) return { ...erased, warns: true };
  return lost ? { ...lostThread, warns: false } : null;
}

function askAgain(context: TurnContext, { sorry, sayAgain }: Excuse): Promise<void> {
  return say(context, `${sorry}\n\n${sayAgain}`, { chips: openingChips(context) });
}

/** Is every dialog on the stack one that this program still has? */
function isKnown(dialogs: DialogSet, stack: readonly DialogInstance[]): boolean {
  return stack.every((instance) => {
    const dialog = dialogs.find(instance.id);
    if (!(dialog instanceof ComponentDialog)) return dialog !== undefined;
    const { dialogs: inside } = instance.state as { readonly dialogs?: { readonly dialogStack?: DialogInstance[] } };
    return isKnown(dialog.dialogs, inside?.dialogStack ?? []);
  });
}

/** The Bot Framework wraps an error together with the dialogs' memory, which must not reach a log. */
function withoutMemory(error: unknown): unknown {
  return error instanceof DialogContextError ? error.error : error;
}
