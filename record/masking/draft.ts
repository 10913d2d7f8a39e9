/** The copy of a customer's text on which the masking rules work, and the marks they leave in the original. */

/** What a customer must never send to the bank in a chat; the bot warns whoever does. */
export type SecretKind = Typed | 'expiry' | 'track';

/** The secrets that are told by the word before them, whatever they look like. */
export type Typed = 'password' | 'code' | 'cvv';

/** What stands where a secret stood; the same in every language, because it is the record's. */
export const MARKERS: Readonly<Record<SecretKind, string>> = {
  password: '[密码已删除]',
  code: '[验证码已删除]',
  cvv: '[安全码已删除]',
  expiry: '[有效期已删除]',
  track: '[磁道信息已删除]',
};

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A stretch of the original text and what takes its place. */
export interface Found extends Span {
  readonly replacement: string;
  readonly secret?: SecretKind;
}

/** Stands in the folded copy for what is already masked; no rule reads across it. */
export const HIDDEN = '\uffff';

/** The marks this file writes. They are read as one closed thing, or masking twice would mask the marks. */
const MASKS =
  /\[(?:密码|验证码|安全码|有效期|磁道信息)已删除\]|\*{4} \d{4}(?!\d|(?:[ -]\d{4}){2})|1[3-9]\d\*{4}\d{4}|\+\*{4}\d{4}|[\dA-Za-z]{3}\*{3,17}[\dA-Za-z]{2}|[^\s@*]\*{3}@/g;

interface Folded {
  /** Compatibility forms, case, digits of every script and spoken digits folded; marks and invisible characters dropped. */
  readonly text: string;
  /** Where each folded character stood in the original; one more for the end. */
  readonly at: readonly number[];
}

/** The folded copy on which the rules work, one rule after the other, each from left to right. */
export class Draft {
  /** What the rule at work reads. Earlier rules' finds are hidden in it, its own are not: they lie before `floor`. */
  text: string;
  floor = 0;
  readonly #original: string;
  readonly #at: readonly number[];
  readonly #found: Found[] = [];
  #pending: Span[] = [];

  constructor(original: string) {
    this.#original = original;
    const folded = fold(original);
    this.text = folded.text;
    this.#at = folded.at;
  }

  replace(start: number, end: number, replacement: string, secret?: SecretKind): void {
    const span = { start: this.#at[start] ?? 0, end: this.#at[end] ?? 0, replacement };
    this.#found.push(secret ? { ...span, secret } : span);
    this.#pending.push({ start, end });
    this.floor = end;
  }

  erase(start: number, end: number, secret: SecretKind): void {
    this.replace(start, end, MARKERS[secret], secret);
  }

  /** A character as it was typed. */
  original(index: number): string {
    return this.#original.slice(this.#at[index] ?? 0, this.#at[index + 1] ?? 0);
  }

  /** Ends a rule: hides what it found from the next. */
  settle(): void {
    let hidden = '';
    let at = 0;
    for (const { start, end } of this.#pending) {
      hidden += this.text.slice(at, start) + HIDDEN.repeat(end - start);
      at = end;
    }
    this.text = hidden + this.text.slice(at);
    this.#pending = [];
    this.floor = 0;
  }

  found(): readonly Found[] {
    return this.#found.sort((one, other) => one.start - other.start);
  }
}

export function fold(original: string): Folded {
  const characters: string[] = [];
  const at: number[] = [];
  const keep = (folded: string, index: number) => {
    for (let part = 0; part < folded.length; part++) {
      characters.push(folded.charAt(part));
      at.push(index);
    }
  };
  let index = 0;
  for (const mask of original.includes('*') || original.includes('已删除') ? original.matchAll(MASKS) : []) {
    for (; index < mask.index; index += widthAt(original, index)) keep(foldCharacter(original, index), index);
    keep(HIDDEN, mask.index);
    index = mask.index + mask[0].length;
  }
  for (; index < original.length; index += widthAt(original, index)) keep(foldCharacter(original, index), index);
  at.push(original.length);
  return { text: digitsSpoken(simplified(characters.join(''))), at };
}

function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}

/** The fold of each unusual character seen so far; most texts use few. */
const folds = new Map<number, string>();

function foldCharacter(text: string, index: number): string {
  const code = text.codePointAt(index) ?? 0;
  if (code >= 0x41 && code <= 0x5a) return String.fromCharCode(code + 32);
  if (code < 0x80 || (code >= 0x4e00 && code <= 0x9fff)) return text.charAt(index);
  let folded = folds.get(code);
  if (folded === undefined) {
    folded = [...String.fromCodePoint(code).normalize('NFKC')].map(foldPart).join('').toLowerCase();
    if (folds.size < 20_000) folds.set(code, folded);
  }
  return folded;
}

function foldPart(part: string): string {
  if (/[\p{Default_Ignorable_Code_Point}\p{Mark}\uffff]/u.test(part)) return '';
  if (/\p{Dash_Punctuation}|[−ー]/u.test(part)) return '-';
  if (/\p{Space_Separator}/u.test(part)) return ' ';
  if (part === '×') return 'x';
  return /\p{Decimal_Number}/u.test(part) ? digitValue(part) : part;
}

/** The value of a decimal digit of any script: in each script the ten stand in a row. */
function digitValue(digit: string): string {
  let value = 0;
  const code = digit.codePointAt(0) ?? 0;
  while (value < 9 && /\p{Decimal_Number}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return /\d/.test(digit) ? digit : String(value);
}

/** The Traditional characters of the words below, each before its Simplified form. */
const TRADITIONAL =
  '碼码驗验證证號号賬账帳帐戶户動动態态簡简訊讯護护數数設设換换為为單单訂订編编簽签後后電电話话機机發发';
const SIMPLIFIED = new Map([...TRADITIONAL.matchAll(/(.)(.)/g)].map(([, from = '', to = '']) => [from, to]));
const IS_TRADITIONAL = new RegExp(`[${[...SIMPLIFIED.keys()].join('')}]`, 'g');

function simplified(text: string): string {
  return text.replace(IS_TRADITIONAL, (character) => SIMPLIFIED.get(character) ?? character);
}

const SPOKEN: Readonly<Record<string, string>> = Object.fromEntries(
  ['零〇○', '一幺壹', '二贰貳', '三叁參', '四肆', '五伍', '六陆陸', '七柒', '八捌', '九玖'].flatMap((forms, digit) =>
    [...forms].map((form) => [form, String(digit)]),
  ),
);
/** Letters, Chinese characters and their punctuation: none of it folds to a digit or a sign that a rule looks for. */
const PLAIN = /^[\n !"'(),.:;?A-Za-z\u3001-\u303f\u4e00-\u9fff！（），：；？“”‘’…-]*$/;

/** Whether a text can be seen at once to hold nothing to mask, which is true of most: no digit, written or spoken, and no word for a password. */
export function isInnocent(text: string): boolean {
  return PLAIN.test(text) && !/[密口]|pass|pwd/i.test(text) && text.search(SPOKEN_RUN) < 0;
}

const NUMERAL = `[${Object.keys(SPOKEN).join('')}]`;
/** Three or more numerals in a row are digits read aloud; one or two (周一, 一二类户) are words. */
const SPOKEN_RUN = new RegExp(`${NUMERAL}(?:[ ,、-]{0,2}${NUMERAL}){2,}`, 'g');

function digitsSpoken(text: string): string {
  return text.replace(SPOKEN_RUN, (run) => run.replace(/./g, (character) => SPOKEN[character] ?? character));
}

/** What ends what a word speaks of. */
export const CLAUSE_END = new RegExp(`[。!?;${HIDDEN}]`);

/** What was said just before a place, not further back than `floor`, the last mask or the end of a sentence. */
export function clauseBefore(text: string, at: number, length: number, floor = 0): string {
  return (
    text
      .slice(Math.max(floor, at - length), at)
      .split(CLAUSE_END)
      .at(-1) ?? ''
  );
}
