import { describe, expect, test } from 'vitest';
import * as en from '../../../web/shared/strings/en.ts';
import * as zh from '../../../web/shared/strings/zh.ts';

/** Every sentence of a page, with functions said for one and for many. */
function sentencesOf(words: object): string[] {
  return Object.values(words).flatMap((value: unknown) => {
    if (typeof value === 'string') return [value];
    const say = value as (what: number | string) => string;
    return [say(1), say(12)];
  });
}

const chinese = [zh.chat, zh.start, zh.embed].flatMap(sentencesOf);
const english = [en.chat, en.start, en.embed].flatMap(sentencesOf);

describe('the words of the pages', () => {
  test('are all there in both languages', () => {
    expect(chinese.length).toBe(english.length);
    expect([...chinese, ...english].filter((sentence) => sentence.trim() === '')).toEqual([]);
  });

  test('are English in English, but for the name of Chinese and of the product', () => {
    const names = [en.chat.language, en.start.title];
    expect(english.filter((sentence) => /\p{Script=Han}/u.test(sentence) && !names.includes(sentence))).toEqual([]);
  });

  test('have Chinese punctuation in Chinese', () => {
    expect(chinese.filter((sentence) => /\p{Script=Han}[,:;?!]|[,:;?!]\p{Script=Han}/u.test(sentence))).toEqual([]);
  });

  test('keep the notice of domain rules word for word', () => {
    expect(zh.chat.aiNotice).toBe('智能助手自动回复 · 输入“转人工”找工作人员');
  });
});
