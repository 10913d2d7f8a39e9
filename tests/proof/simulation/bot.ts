/** A bot that counts: each answer says which one of its conversation it is, so that a lost or doubled one shows. */

import type { BotAnswer, BotRunner } from '../../../bot/turn.ts';
import type { Effect } from '../../../record/types.ts';
import { UNSTORABLE } from './model-record.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';

/** What customers say. Each word is a way for the bot to behave. */
export const WORDS = ['hello', 'two', 'slow', 'stuck', 'boom', 'person', 'bye', UNSTORABLE] as const;
export type Word = (typeof WORDS)[number];

/** Runs in `process`: its thinking is one of the points where a process dies. */
export function createCountingBot(process: Process, random: Random): BotRunner {
  return {
    run(activity, { state }): Promise<BotAnswer> {
      const word = activity.text as Word;
      const nth = Number(state.answers ?? 0) + 1;
      return new Promise((resolve, reject) => {
        if (word === 'stuck') return;
        const thinking = word === 'slow' ? random.between(8_001, 25_000) : random.between(0, 30);
        const give = (): void => (word === 'boom' ? reject(new Error('boom')) : resolve(answer(word, nth)));
        process.resume(thinking, 'bot', give);
      });
    },
    apologise: () => ({ replies: [{ type: 'message', text: 'sorry' }], state: null, effects: [] }),
  };
}

function answer(word: Word, nth: number): BotAnswer {
  const texts =
    word === 'two' ? ['one of two', 'two of two'] : [word === 'person' ? 'you are {{person}}' : `re: ${word}`];
  const replies = texts.map((text) => ({ type: 'message', text, value: { nth } }));
  return { replies, state: { answers: nth }, effects: effectsOf(word) };
}

function effectsOf(word: Word): readonly Effect[] {
  switch (word) {
    case 'person':
      return [{ kind: 'handoff.request', ref: 'person', code: 'ASKED', priority: 3 }];
    case 'bye':
      return [{ kind: 'conversation.end' }];
    default:
      return [];
  }
}
