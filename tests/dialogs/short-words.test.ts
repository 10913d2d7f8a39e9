/** What short words mean, and what they must not be taken for. */

import { describe, expect, it } from 'vitest';
import { readCourtesy, readHelped, readNegative, readPick } from '../../dialogs/short-words.ts';

describe('a complaint about an answer', () => {
  it.each([
    '不对',
    '没用',
    '听不懂',
    '完全不对',
    '你说的不对',
    '答非所问！',
    '没用的',
    '我听不懂',
    '不是这个',
    '沒用',
    'wrong',
    'useless',
    'This is useless!',
    'that’s wrong',
    'not what I asked',
    'it doesn’t help',
    'I don’t understand you',
  ])('%s is one', (words) => {
    expect(readNegative(words)).toEqual({ rest: '' });
  });

  it.each([
    ['不对，我问的是年费', '我问的是年费'],
    ['不是。信用卡怎么还款', '信用卡怎么还款'],
    ['Wrong, I mean the credit card', 'I mean the credit card'],
  ])('%s is one with a question', (words, rest) => {
    expect(readNegative(words)).toEqual({ rest });
  });

  it.each([
    '没用过的卡要年费吗',
    '不对公业务开放吗',
    '不是本地人能开户吗',
    '错账怎么办',
    'wrong transfer, what can I do',
    '转账金额不对怎么办',
    'I sent money to the wrong account',
    '密码错误',
    '理财亏了没用吗',
  ])('%s is none', (words) => {
    expect(readNegative(words)).toBeNull();
  });
});

describe('an answer to whether it helped', () => {
  it.each(['有帮助', '谢谢！', '明白了', '好的', 'OK', 'got it', '👍'])('%s is a yes', (words) => {
    expect(readHelped(words)).toBe('yes');
  });

  it.each(['没解决', '没有', '不', '还是不行', 'no', 'not really', '👎'])('%s is a no', (words) => {
    expect(readHelped(words)).toBe('no');
  });

  it.each(['明白了，那提前取呢', '好的卡有哪些', 'no fee cards', '没有手机银行怎么办', '可以提前取吗'])(
    '%s is something new',
    (words) => {
      expect(readHelped(words)).toBeNull();
    },
  );
});

describe('a choice from a list', () => {
  const titles = ['借记卡年费多少？', '信用卡年费怎么免？', '信用卡怎么提额？'];

  it.each([
    ['1', 0],
    ['三', 2],
    ['第2个', 1],
    ['②', 1],
    ['选1', 0],
    ['最后一个', 2],
    ['Number 3', 2],
    ['the first one', 0],
    ['信用卡年费怎么免', 1],
    ['提额', 2],
    ['都不是', 'none'],
    ['none of these', 'none'],
    ['9', 'out_of_range'],
  ] as const)('%s is %s', (words, pick) => {
    expect(readPick(words, titles)).toBe(pick);
  });

  it.each(['年费', '信用卡', '卡', '第三方支付怎么绑定', '一类户和二类户有什么区别', '3000元以上的转账', '2026年利率'])(
    '%s is no choice',
    (words) => {
      expect(readPick(words, titles)).toBeNull();
    },
  );
});

describe('a courtesy', () => {
  it.each([
    ['你好呀', 'hello'],
    ['Good morning!', 'hello'],
    ['谢谢您', 'thanks'],
    ['thank you so much', 'thanks'],
    ['拜拜', 'bye'],
    ['你是真人吗', 'who'],
    ['Are you human?', 'who'],
    ['好的', 'well'],
    ['有帮助', 'helped'],
  ] as const)('%s is %s', (words, courtesy) => {
    expect(readCourtesy(words)).toBe(courtesy);
  });

  it.each(['你好，我要办卡', '谢谢，再问一下年费', '好的卡', 'hi, what is the rate', '早上几点开门'])(
    '%s is a question',
    (words) => {
      expect(readCourtesy(words)).toBeNull();
    },
  );
});
