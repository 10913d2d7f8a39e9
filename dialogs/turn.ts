/** What a dialog may know of the turn it speaks in, and how it says what else should happen. */

import type { TurnContext } from 'botbuilder';
import type { Article, Recognizer } from '../knowledge/types.ts';
import type { Effect, Language, TurnState } from '../record/types.ts';
import type { Strings } from './strings/zh.ts';

const KEY = Symbol('lobby.turn');

/** One turn as its dialogs see it. Made by `bot/` for each turn; dialogs never write to the record, they push effects. */
export interface DialogTurn {
  readonly now: Date;
  /** Today in the bank's time zone, `YYYY-MM-DD`. */
  readonly today: string;
  readonly conversation: TurnState;
  /** The language of the replies of this turn. The language middleware sets it before any dialog runs. */
  language: Language;
  readonly effects: Effect[];
  /** What the masker took out of this message: the customer is warned of secrets. */
  readonly erased: readonly string[];
  readonly collaborators: DialogCollaborators;
}

/** What dialogs may ask. All of it answers without touching the network, except the recogniser, which has its own limit. */
export interface DialogCollaborators {
  readonly recognizer: Recognizer;
  readonly articles: ArticleShelf;
  readonly rates: RateTables;
  readonly strings: Readonly<Record<Language, Strings>>;
  readonly bank: { readonly hotline: string; readonly hours: Readonly<Record<Language, string>> };
}

/** Finds an approved article again. Null when there is none, or when it may not be shown to everybody on that day. */
export interface ArticleShelf {
  find(id: string, language: Language, today: string): Article | null;
  /** The article with this title in either language: what a customer says who taps a title, now or long after it was offered. */
  titled(title: string, language: Language, today: string): Article | null;
}

/** Renders the dated rate table an article refers to, or null when no row is in force today (then the article is not served). */
export interface RateTables {
  render(table: string, language: Language, today: string): string | null;
}

/** Puts the turn where its dialogs find it. */
export function bindTurn(context: TurnContext, turn: DialogTurn): void {
  context.turnState.set(KEY, turn);
}

/** The turn this context belongs to. Throws when called outside the gate. */
export function turnOf(context: TurnContext): DialogTurn {
  const turn: unknown = context.turnState.get(KEY);
  if (!turn) throw new Error('No turn is bound to this context: dialogs run only inside the turn gate.');
  return turn as DialogTurn;
}

/** The words of this turn's language. */
export function stringsOf(context: TurnContext): Strings {
  const turn = turnOf(context);
  return turn.collaborators.strings[turn.language];
}
