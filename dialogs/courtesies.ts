/** Answers what asks for nothing: thanks and goodbyes, emoji, files, forms. An open question stays open. */

import type { TurnContext } from 'botbuilder';
import { openingChips } from './greeting.ts';
import { say } from './say.ts';
import type { Courtesy } from './short-words.ts';
import { stringsOf } from './turn.ts';
import { forgive, visitOf } from './visit.ts';

export async function answerCourtesy(context: TurnContext, courtesy: Courtesy): Promise<void> {
  if (courtesy === 'helped') forgive(visitOf(context));
  await say(context, stringsOf(context).courtesy[courtesy], { chips: openingChips(context) });
}

export async function answerWordless(context: TurnContext): Promise<void> {
  await say(context, wordsForWordless(context), { chips: openingChips(context) });
}

function wordsForWordless(context: TurnContext): string {
  const { wordless } = stringsOf(context);
  const { text, value } = context.activity;
  if (hasFiles(context)) return wordless.file;
  if ((text ?? '').trim() !== '') return wordless.emoji;
  return value === undefined || value === null ? wordless.nothing : wordless.form;
}

/** Files that came with words: the words are what is answered. */
export async function noteFiles(context: TurnContext): Promise<void> {
  if (hasFiles(context)) await say(context, stringsOf(context).wordless.fileToo);
}

function hasFiles(context: TurnContext): boolean {
  return (context.activity.attachments ?? []).length > 0;
}
