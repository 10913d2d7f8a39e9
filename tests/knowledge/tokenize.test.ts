import { describe, expect, test } from 'vitest';
import { comparable, contentOf, createTokenizer, detectLanguage, normalise } from '../../knowledge/tokenize.ts';

describe('normalising', () => {
  test.each([
    ['ＡＢＣ１２３', 'abc123'],
    ['  two\t words \n', 'two words'],
    ['I don’t know', 'i do not know'],
    ["can't", 'can not'],
    ["won't", 'will not'],
    ["we're, I've, you'll, I'm", 'we are, i have, you will, i am'],
    ['Ⅱ类户', 'ii类户'],
    ["my card's chip", "my card's chip"],
  ])('%j is %j', (text, plain) => {
    expect(normalise(text)).toBe(plain);
  });

  test('leaves an equal sentence equal whatever its punctuation', () => {
    expect(comparable('卡丢了，怎么办？')).toBe(comparable('卡丢了 怎么办!'));
    expect(comparable('How do I pay?')).toBe(comparable('how do i  pay'));
  });
});

describe('the language of a sentence', () => {
  test.each([
    ['我的卡丢了', 'zh'],
    ['轉帳幾天到帳', 'zh'],
    ['手机银行APP登不上', 'zh'],
    ['LPR是多少', 'zh'],
    ['ATM吞卡', 'zh'],
    ['I lost my card', 'en'],
    ['transfer to 张三', 'en'],
    ['LPR', 'en'],
  ] as const)('%s is %s', (text, language) => {
    expect(detectLanguage(text, 'zh')).toBe(language);
    expect(detectLanguage(text, 'en')).toBe(language);
  });

  test('is Chinese from a fifth of Chinese characters on', () => {
    expect(detectLanguage('卡abcd', 'en')).toBe('zh');
    expect(detectLanguage('卡abcde', 'zh')).toBe('en');
  });

  test.each(['', '123', '👍👍', '?!', '６６６'])('stays as it was for %j', (text) => {
    expect(detectLanguage(text, 'zh')).toBe('zh');
    expect(detectLanguage(text, 'en')).toBe('en');
  });
});

describe('words', () => {
  const plain = createTokenizer({ articles: [] });

  test('of English: those that say something, and those that every question has', () => {
    expect(plain.tokens("What's the fee for a $500 transfer?", 'en')).toEqual({
      words: ['fee', '$', '500', 'transfer'],
      common: ['what', 's', 'the', 'for', 'a'],
    });
  });

  test('of Chinese: words of the dictionary, and every single character', () => {
    expect(plain.tokens('跨行转账，几天到账？', 'zh').words).toEqual(expect.arrayContaining(['转账']));
    expect(plain.tokens('转账APP', 'zh')).toEqual({ words: ['转账', 'app'], common: ['转', '账'] });
  });

  test('of the bank itself stay whole once its titles and phrasings use them', () => {
    expect(plain.tokens('通知存款', 'zh').words).toEqual(['通知', '存款']);
    const article = {
      lang: 'zh' as const,
      title: '通知存款怎么存？',
      phrasings: ['通知存款利率', '七天通知存款', '通知存款起存'],
    };
    expect(createTokenizer({ articles: [article] }).tokens('七天通知存款', 'zh').words).toEqual(['七天', '通知存款']);
  });

  test('are cut from what `simplify` makes of the text, when one is given', () => {
    const simplifying = createTokenizer({
      articles: [],
      simplify: (text) => text.replaceAll('轉', '转').replaceAll('帳', '账'),
    });
    expect(simplifying.tokens('轉帳', 'zh').words).toEqual(['转账']);
  });

  test.each(['好的', '谢谢', '不对', '你好', '为什么', '嗯嗯', '12345', '👍'])(
    'none of %s say what a question is about',
    (text) => {
      expect(contentOf(plain.tokens(text, 'zh'))).toEqual([]);
    },
  );

  test.each(['thanks', 'what', 'no', 'OK', '42', 'how do I'])('none of %s say what a question is about', (text) => {
    expect(contentOf(plain.tokens(text, 'en'))).toEqual([]);
  });
});
