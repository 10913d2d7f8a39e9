/** What the assistant remembers of a visit from one turn to the next: whether it greeted, and how often it failed the customer. */

import type { ConversationState, TurnContext } from 'botbuilder';
import type { DialogState } from 'botbuilder-dialogs';
import { turnOf } from './turn.ts';

/** The property of conversation state that holds the open dialogs. */
export const DIALOG_STATE = 'DialogState';

const VISIT = 'Visit';

/** Raised when what is kept here, or in an open dialog, changes its meaning: older memory is then put down with an apology. */
const SHAPE = 1;

/** After this long without a word, what went wrong before no longer counts. */
const FORGIVEN_AFTER_MS = 4 * 3_600_000;

const MEMORY = Symbol('lobby.memory');

/** Kept in the conversation's state, so it must equal its JSON. */
export interface Visit {
  shape: number;
  /** When the customer was last here, in milliseconds. */
  at: number;
  greeted: boolean;
  /** The customer ended the chat; the next message begins afresh. */
  over: boolean;
  misses: number;
  negatives: number;
  /** Messages in a row in the other language. */
  otherLanguage: number;
}

interface Memory {
  readonly visit: Visit;
  readonly dialogs: DialogState;
  readonly outdated: boolean;
}

/** Reads what is remembered of this conversation and puts it where the turn's dialogs find it. */
export async function recall(context: TurnContext, state: ConversationState): Promise<void> {
  const now = turnOf(context).now.getTime();
  const dialogs = await state.createProperty<DialogState>(DIALOG_STATE).get(context, { dialogStack: [] });
  const visit = await state.createProperty<Visit>(VISIT).get(context, newVisit(now));
  const outdated = visit.shape !== SHAPE;
  if (outdated) Object.assign(visit, newVisit(now), { greeted: true });
  if (now - visit.at > FORGIVEN_AFTER_MS) forgive(visit);
  visit.at = now;
  context.turnState.set(MEMORY, { visit, dialogs, outdated } satisfies Memory);
}

export function visitOf(context: TurnContext): Visit {
  return memoryOf(context).visit;
}

/** The open dialogs. */
export function dialogsOf(context: TurnContext): DialogState {
  return memoryOf(context).dialogs;
}

/** Was this memory written by a version of the program that meant something else by it? */
export function isOutdated(context: TurnContext): boolean {
  return memoryOf(context).outdated;
}

/** What a failure of the assistant leads to: the second in a visit offers a person, the third hands over. */
export type Step = 'carry_on' | 'offer_person' | 'hand_over';

export function countMiss(visit: Visit): Step {
  visit.misses += 1;
  return stepAfter(visit.misses);
}

export function countNegative(visit: Visit): Step {
  visit.negatives += 1;
  return stepAfter(visit.negatives);
}

/** The customer was helped, or a person will be: the count begins again. */
export function forgive(visit: Visit): void {
  visit.misses = 0;
  visit.negatives = 0;
}

/** The customer left. Only that is remembered. */
export function close(visit: Visit): void {
  Object.assign(visit, newVisit(visit.at), { over: true });
}

/** The customer is back after leaving. */
export function reopen(visit: Visit): void {
  Object.assign(visit, newVisit(visit.at));
}

function newVisit(at: number): Visit {
  return { shape: SHAPE, at, greeted: false, over: false, misses: 0, negatives: 0, otherLanguage: 0 };
}

function stepAfter(failures: number): Step {
  if (failures >= 3) return 'hand_over';
  return failures === 2 ? 'offer_person' : 'carry_on';
}

function memoryOf(context: TurnContext): Memory {
  const memory: unknown = context.turnState.get(MEMORY);
  if (!memory) throw new Error('Nothing was recalled for this turn: dialogs run only inside runBot.');
  return memory as Memory;
}
