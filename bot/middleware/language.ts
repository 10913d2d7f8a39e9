/** Decides in which language a turn is answered: the one the customer chose, else the one they write in. */

import type { TurnContext } from 'botbuilder';
import { withoutMarks } from '../../dialogs/short-words.ts';
import { turnOf } from '../../dialogs/turn.ts';
import { visitOf } from '../../dialogs/visit.ts';
import { detectLanguage } from '../../knowledge/tokenize.ts';
import type { Language } from '../../record/types.ts';

/** So many messages in a row in the other language change the conversation's. */
const SWITCH_AFTER = 2;

export async function followLanguage(context: TurnContext, next: () => Promise<void>): Promise<void> {
  chooseLanguage(context);
  await next();
}

function chooseLanguage(context: TurnContext): void {
  const turn = turnOf(context);
  const visit = visitOf(context);
  const { language, languageChosen } = turn.conversation;
  const written = languageOf(withoutMarks(context.activity.text ?? ''));
  if (language === null) {
    turn.language = written ?? languageOfLocale(context.activity.locale);
    if (written) turn.effects.push({ kind: 'language', language: written, chosen: false });
    return;
  }
  turn.language = language;
  if (written === null) return;
  visit.otherLanguage = written === language ? 0 : visit.otherLanguage + 1;
  if (languageChosen || visit.otherLanguage < SWITCH_AFTER) return;
  visit.otherLanguage = 0;
  turn.language = written;
  turn.effects.push({ kind: 'language', language: written, chosen: false });
}

/** The language of a message; null when it tells nothing: digits, emoji, "OK", or a bare abbreviation such as LPR. */
function languageOf(text: string): Language | null {
  if (/^[\p{Lu}\p{N}\p{P}\p{Z}]*$/u.test(text) || /^ok(?:ay)?\W*$/iu.test(text)) return null;
  const language = detectLanguage(text, 'zh');
  return language === detectLanguage(text, 'en') ? language : null;
}

function languageOfLocale(locale: string | undefined): Language {
  return /^en\b/iu.test(locale ?? '') ? 'en' : 'zh';
}
