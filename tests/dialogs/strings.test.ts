/** What holds for every sentence the assistant can say. */

import { describe, expect, it } from 'vitest';
import { en } from '../../dialogs/strings/en.ts';
import { type Strings, zh } from '../../dialogs/strings/zh.ts';

/** Stands for any argument, so that a sentence which loses one is found. */
const ARGUMENTS = ['〔one〕', '〔two〕', '〔three〕'];

/** Every sentence by its path. A function of a list or a number is called with one. */
function sentences(strings: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof strings === 'string') return [[path, strings]];
  if (typeof strings === 'function') return [[path, call(strings as (...given: unknown[]) => string, path)]];
  return Object.entries(strings as object).flatMap(([key, value]) =>
    sentences(value, path === '' ? key : `${path}.${key}`),
  );
}

function call(say: (...given: unknown[]) => string, path: string): string {
  if (path.endsWith('.several')) return say([{ number: 1, title: ARGUMENTS[0] }]);
  if (path.endsWith('.since') || path.endsWith('.outOfRange')) return say(3);
  return say(...ARGUMENTS.slice(0, say.length));
}

const languages: readonly (readonly [string, Strings])[] = [
  ['zh', zh],
  ['en', en],
];

describe.each(languages)('the words in %s', (_, strings) => {
  const all = sentences(strings);

  it('are there', () => {
    expect(all.length).toBeGreaterThan(50);
    for (const [path, words] of all) expect(words.trim(), path).not.toBe('');
  });

  it('use all they are told, and leave no hole', () => {
    for (const [path, words] of all) {
      expect(words, path).not.toMatch(/undefined|NaN|\[object/);
      const say = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], strings);
      if (typeof say !== 'function' || /since|outOfRange/.test(path)) continue;
      for (const given of ARGUMENTS.slice(0, say.length)) expect(words, path).toContain(given);
    }
  });

  it('promise nothing, recommend nothing', () => {
    for (const [path, words] of all) {
      const plain = words.replace(/不构成推荐|not a recommendation/g, '');
      expect(plain, path).not.toMatch(/推荐|保证|稳赚|保本|guarantee|recommend/i);
      expect(plain, path).not.toMatch(/马上为您转接|正在转接|immediately connect|connecting you/i);
    }
  });

  it('are short enough to read on a phone', () => {
    for (const [path, words] of all) expect([...words].length, path).toBeLessThan(strings === zh ? 240 : 620);
  });
});

describe('the two languages', () => {
  it('are each their own', () => {
    for (const [path, words] of sentences(en)) {
      if (!/otherLanguage|help$/.test(path)) expect(words, path).not.toMatch(/\p{Script=Han}/u);
    }
    for (const [path, words] of sentences(zh)) {
      if (!/otherLanguage|help$|version/.test(path))
        expect(words.replaceAll(/\{\{handoff\}\}|〔\w+〕/gu, ''), path).not.toMatch(/[a-z]{3}/i);
    }
  });

  it('fill the same placeholders', () => {
    const marks = (strings: Strings) =>
      sentences(strings).flatMap(([path, words]) =>
        (words.match(/\{\{\w+\}\}/g) ?? []).map((mark) => `${path} ${mark}`),
      );
    expect(marks(zh)).toEqual(marks(en));
    expect(marks(zh)).not.toEqual([]);
  });

  it('say how long ago in whole units', () => {
    const { since } = zh.handoff;
    expect([0, 1, 59, 60, 47 * 60 + 59, 48 * 60].map(since)).toEqual([
      '刚刚',
      '1 分钟前',
      '59 分钟前',
      '1 小时前',
      '47 小时前',
      '2 天前',
    ]);
    expect([1, 2, 60, 120, 2880].map(en.handoff.since)).toEqual([
      '1 minute ago',
      '2 minutes ago',
      '1 hour ago',
      '2 hours ago',
      '2 days ago',
    ]);
  });
});
