/** How a sentence becomes words: the same way for what the bank knows and for what a customer asks. */

import { Jieba } from '@node-rs/jieba';
import { dict } from '@node-rs/jieba/dict.js';
import type { Article, Language } from './types.ts';

/** The words of a sentence. */
export interface Tokens {
  /** Words that carry meaning on their own: looked up first, because they are rare. */
  readonly words: readonly string[];
  /**
   * What nearly every question has: single Chinese characters, which still match where the segmenter cut two sentences
   * differently, and English words such as "how". Too many documents hold them to look them all up first.
   */
  readonly common: readonly string[];
}

/** Splits sentences of either language. Make one and share it: the Chinese dictionary takes a third of a second to load. */
export interface Tokenizer {
  tokens(text: string, language: Language): Tokens;
}

const HAN = /\p{Script=Han}/gu;
const LATIN = /\p{Script=Latin}/gu;

const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/n't\b/g, ' not'],
  [/'re\b/g, ' are'],
  [/'ve\b/g, ' have'],
  [/'ll\b/g, ' will'],
  [/'m\b/g, ' am'],
  [/\bwo not\b/g, 'will not'],
  [/\bca not\b/g, 'can not'],
];

/** One spelling for what customers type in many: full-width digits, capitals, curly apostrophes, contractions, white space. */
export function normalise(text: string): string {
  let plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’‘ʼ`´]/g, "'");
  for (const [short, long] of CONTRACTIONS) plain = plain.replace(short, long);
  return plain.replace(/\s+/g, ' ').trim();
}

/**
 * The language a sentence is written in. A fifth of Chinese characters is enough, because Chinese sentences carry
 * App, LPR and ATM. Digits and emoji alone say nothing: the conversation keeps the language it had.
 */
export function detectLanguage(text: string, previous: Language): Language {
  const plain = text.normalize('NFKC');
  const han = plain.match(HAN)?.length ?? 0;
  const latin = plain.match(LATIN)?.length ?? 0;
  if (han + latin === 0) return previous;
  return han * 5 >= han + latin ? 'zh' : 'en';
}

/** What is left of a sentence when punctuation, spaces and capitals do not count: equal sentences ask the same. */
export function comparable(text: string): string {
  return normalise(text).replace(/[\p{P}\p{S}\s]/gu, '');
}

/** Words that fit every question and so say nothing about which one it is. */
const EMPTY: ReadonlySet<string> = new Set(
  (
    '的 了 吗 呢 吧 啊 呀 么 哦 嗯 喂 嗨 哈 我 你 您 他 她 它 们 我们 你们 是 不 没 有 没有 就 都 也 还 再 很 太 这 那 个 一 好 对 行 用 为 什 怎 ' +
    '好的 好吧 不是 不对 没用 没事 可以 什么 怎么 怎么样 为什么 谢 谢谢 多谢 你好 您好 请 请问 麻烦 早 早上好 晚上好 下午好 知道 知 道 明白 懂 ' +
    'a an the is are was were be been am i me my you your yours we our us it its this that these those there here do does did done to of in on at for ' +
    'from with by and or but if so as can could would will shall may might should must have has had not no yes yeah yep ok okay please pls just s t d ' +
    'what which who how when where why tell any some get like want need hi hello hey thanks thank thx good morning evening afternoon wrong useless right sure'
  ).split(' '),
);

/** The tokens that say what a sentence is about. */
export function contentOf(tokens: Tokens): readonly string[] {
  return [...tokens.words, ...tokens.common].filter((token) => !EMPTY.has(token) && /\p{L}/u.test(token));
}

/** `simplify` turns Traditional characters into Simplified ones before the words are cut; without it they stay as typed. */
export interface TokenizerOptions {
  readonly articles: readonly Pick<Article, 'lang' | 'title' | 'phrasings'>[];
  readonly simplify?: (text: string) => string;
}

export function createTokenizer(options: TokenizerOptions): Tokenizer {
  const simplify = options.simplify ?? ((text: string) => text);
  const jieba = Jieba.withDict(dict);
  const products = productWords(options.articles, jieba, simplify);
  if (products.length > 0) jieba.loadDict(Buffer.from(products.map((word) => `${word} 100000 n\n`).join('')));
  return {
    tokens(text, language) {
      const plain = normalise(text);
      return language === 'zh' ? chineseTokens(simplify(plain), jieba) : englishTokens(plain);
    },
  };
}

function englishTokens(text: string): Tokens {
  const words = text.match(/[a-z0-9]+|\p{Sc}/gu) ?? [];
  return { words: words.filter((word) => !EMPTY.has(word)), common: words.filter((word) => EMPTY.has(word)) };
}

function chineseTokens(text: string, jieba: Jieba): Tokens {
  const words = jieba.cut(text, true).filter((token) => /[\p{Script=Han}\p{L}\p{N}]/u.test(token));
  return {
    words: words.filter((word) => !isCharacter(word)),
    common: text.match(HAN) ?? [],
  };
}

/** A word of one Chinese character is counted as a character, not twice. */
function isCharacter(word: string): boolean {
  return /^\p{Script=Han}$/u.test(word);
}

/** How often a title's word pair must come back in the phrasings to be a word of its own. */
const COMMON = 3;

/**
 * The bank's own words, such as 通知存款 and 二类户, which a general dictionary cuts in two: neighbours in a title,
 * both of them content words, that customers keep using together.
 */
function productWords(
  articles: TokenizerOptions['articles'],
  jieba: Jieba,
  simplify: (text: string) => string,
): string[] {
  const chinese = articles.filter((article) => article.lang === 'zh');
  const asked = chinese.flatMap((article) => article.phrasings).map((phrasing) => simplify(normalise(phrasing)));
  const pairs = new Set(chinese.flatMap((article) => neighbours(jieba.tag(simplify(normalise(article.title))))));
  return [...pairs].filter((pair) => asked.filter((phrasing) => phrasing.includes(pair)).length >= COMMON).sort();
}

type Tagged = { readonly word: string; readonly tag: string };

/** Nouns, verbs, numerals and modifiers make product names; question words and particles do not. */
const CONTENT = /^(?:n|v|b|a|m|q|j)/;
const QUESTION = /多少|多久|怎么|什么|几|吗|^[是有能会要]$/;

function neighbours(tagged: readonly Tagged[]): string[] {
  return tagged.slice(1).flatMap((token, index) => {
    const before = tagged[index];
    return before && isContent(before) && isContent(token) && belongTogether(before, token)
      ? [before.word + token.word]
      : [];
  });
}

function isContent({ word, tag }: Tagged): boolean {
  return CONTENT.test(tag) && /^\p{Script=Han}+$/u.test(word) && !QUESTION.test(word);
}

/** 大额+存单, 年+费, 二类+户; but not 信用卡+年, which tears the next word apart. */
function belongTogether(before: Tagged, after: Tagged): boolean {
  return (
    isCharacter(before.word) === isCharacter(after.word) || (before.tag.startsWith('m') && after.tag.startsWith('q'))
  );
}
