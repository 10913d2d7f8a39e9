/** Card, account and identity numbers: what looks like one, or is called one, is masked. */

import { CLAUSE_END, type Draft } from './draft.ts';

interface Group {
  readonly start: number;
  readonly end: number;
  /** How it is joined to the group before it; null when it stands alone. */
  readonly joint: string | null;
}

/** Digit groups joined by these may be one number. Three characters allow " - ". */
const JOINT = /^[ \t\r\n.,_/·、-]{1,3}$/;

function digitGroups(text: string): readonly Group[] {
  const groups: Group[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { index: start, 0: digits } of text.matchAll(/\d+/g)) {
    const between = start - last <= 3 ? text.slice(last, start) : '';
    last = start + digits.length;
    groups.push({ start, end: last, joint: JOINT.test(between) && !standsAlone(text, start, digits) ? between : null });
  }
  return groups;
}

/** A date or a mobile number is not a part of the number before it. */
function standsAlone(text: string, start: number, digits: string): boolean {
  if (digits.length === 11) return /^1[3-9]/.test(digits);
  return digits.length === 4 && DATE.test(text.slice(start, start + 11));
}

/** A number read off one or more groups: its digits without joints, and the first group after it. */
interface Reading {
  readonly kind: 'card' | 'identity';
  readonly digits: string;
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

export function findNumbers(draft: Draft): void {
  const groups = digitGroups(draft.text);
  const labelBefore = labelReader(draft.text);
  for (let index = 0; index < groups.length; ) {
    const reading = readNumber(draft, groups, index, labelBefore);
    if (reading) {
      draft.replace(
        reading.start,
        reading.end,
        reading.kind === 'card' ? maskCard(reading.digits) : maskIdentity(reading.digits),
      );
      if (reading.kind === 'card') eraseCardTail(draft, reading.end);
    }
    index = reading?.next ?? index + 1;
  }
}

const maskCard = (digits: string) => `**** ${digits.slice(-4)}`;
export const maskIdentity = (number: string) =>
  (number.slice(0, 3) + '*'.repeat(Math.max(3, number.length - 5)) + number.slice(-2)).toUpperCase();

function readNumber(draft: Draft, groups: readonly Group[], first: number, labelBefore: LabelBefore): Reading | null {
  if ((groups[first]?.start ?? 0) < draft.floor) return null;
  const { text } = draft;
  const readings = joinedReadings(text, groups, first);
  const identity = readings.find((reading) => isIdentity(reading.digits));
  if (identity) return { ...identity, kind: 'identity' };
  const cards = readings.filter(
    (reading) => isCard(reading.digits) && isJoinedAsCard(text, groups, first, reading.next),
  );
  return likelyCard(cards, first) ?? readByLabel(draft.text, groups, first, readings, labelBefore);
}

/** Every number of 12 or more digits that begins with this group, over one group, two, and so on. */
function joinedReadings(text: string, groups: readonly Group[], first: number): readonly Reading[] {
  const readings: Reading[] = [];
  const start = groups[first]?.start ?? 0;
  let digits = '';
  for (let index = first; index < groups.length && digits.length < 22; index++) {
    const group = groups[index];
    if (!group || (index > first && group.joint === null)) break;
    digits += text.slice(group.start, group.end);
    if (digits.length < 12) continue;
    if (digits.length > 22 && index > first) break;
    readings.push({ kind: 'card', digits, start, end: group.end, next: index + 1 });
    const x = digits.length === 17 || digits.length === 14 ? CHECK_X.exec(text.slice(group.end, group.end + 3)) : null;
    if (x) readings.push({ kind: 'card', digits: `${digits}x`, start, end: group.end + x[0].length, next: index + 1 });
  }
  return readings;
}

/** The X that may end an identity number, at most one space or dash away. */
const CHECK_X = /^[ -]?x(?![a-z])/;

export const DATE = /^(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)/;

/** UnionPay, Visa, Mastercard, JCB and Amex by the bank's rule (16 to 19 digits), then the lengths and ranges their issuers use. */
const CARD =
  /^(?:(?:62|4\d|5[1-5]|35|37)\d{14,17}|4\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720|60\d\d|64[4-9]\d|65\d\d|81\d\d)\d{12}|60\d{17}|955[89]\d{15})$/;

function isCard(digits: string): boolean {
  return CARD.test(digits) && passesLuhn(digits);
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const CARD_LAYOUT = /^(?:4,4,4,4(?:,[1-4])?|4,6,5|6,13|8,8|6,4,4,4(?:,\d)?|4,15|4,12|1(?:,1)+)$/;

/** Groups as cards are written join over anything; other groups only over one kind of space, dash or dot. */
function isJoinedAsCard(text: string, groups: readonly Group[], first: number, next: number): boolean {
  const parts = groups.slice(first, next);
  const last = parts.at(-1);
  if (parts.length === 1 || !last) return true;
  const joints = new Set(parts.slice(1).map((group) => group.joint));
  if (/^[/:]\d/.test(text.slice(last.end, last.end + 2)) && !joints.has('/')) return false;
  if (CARD_LAYOUT.test(parts.map((group) => group.end - group.start).join())) return true;
  const digits = parts.reduce((sum, group) => sum + group.end - group.start, 0);
  const isHotline = /^[48]00[ -]\d{3,4}[ -]\d{3,4}/.test(text.slice(parts[0]?.start, last.end));
  return digits >= 16 && joints.size === 1 && /^[ \t.\n-]+$/.test(parts[1]?.joint ?? '') && !isHotline;
}

/**
 * A group that is a card by itself, else the longest reading. Cards other than UnionPay's have 16 digits: where such a one
 * can be read with more digits after it, all are masked but its own last four are shown, because the rest may be its CVV.
 */
function likelyCard(cards: readonly Reading[], first: number): Reading | null {
  const longest = cards.find((card) => card.next === first + 1) ?? cards.at(-1);
  const usual = cards.find((card) => !card.digits.startsWith('62') && card.digits.length === 16);
  return longest ? { ...longest, digits: (usual ?? longest).digits } : null;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A resident identity number: region, a birthday that exists, and the check character. */
function isIdentity(number: string): boolean {
  if (number.length !== 18 || !/^[1-9]\d{5}(?:18|19|20)\d{9}[\dx]$/.test(number) || !isBirthday(number.slice(6, 14)))
    return false;
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  return '10x98765432'[sum % 11] === number[17];
}

function isBirthday(digits: string): boolean {
  const [year, month, day] = [Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6))];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days;
}

/** What the words before a number say it is. The nearest counts: 卡 … 流水号 is a serial, 订单 … 卡号 is a card. */
export const LABEL =
  /(?<other>(?:订单|流水|交易|业务|参考|凭证|合同|保单|发票|回单|运单|快递|投诉)(?:编?号)?|单号|编号|(?:orders?|ref(?:erence)?|serial|transaction|trace|tracking|invoice|receipt|case|ticket|contract|policy|parcel|request)\b(?:.{0,3}(?:id|no|number)\b)?)|(?<identity>身份证|证件|(?<![a-z])(?:id (?:card|number|no)|my id|identity))|(?<number>卡号|[账帐][户]?号|card (?:number|num|no\b|#)|account (?:number|num|no\b|#)|(?<![a-z])(?:acct|a\/c|iban)(?![a-z]))|(?<card>卡|[账帐]户|存折|(?<![a-z])(?:cards?|accounts?|visa|mastercard|unionpay)(?![a-z]))/g;
/** The same said after the number: …这个卡号, … is my card number. */
const LABEL_AFTER =
  /^[\s,)]{0,2}(?:(?:是|就是|这个|这张|is|that's|as)\s?)*(?:我的|我|本人|my|the)?\s?(?:银行|借记|储蓄|信用|bank |debit |credit )?(?:卡|[账帐][号户]|card|account)/;

type LabelBefore = (start: number) => Label | null;
type Label = 'other' | 'identity' | 'number' | 'card';

/** How many digits make a number what its label says; 卡号 and 账号 also stand for shorter and longer account numbers. */
const LABELLED_DIGITS: Readonly<Record<Exclude<Label, 'other'>, readonly [number, number]>> = {
  identity: [15, 18],
  number: [12, 40],
  card: [16, 19],
};

/** A mistyped card is still a card: near its word any number of that length is masked, whatever Luhn says. */
function readByLabel(
  text: string,
  groups: readonly Group[],
  first: number,
  readings: readonly Reading[],
  labelBefore: LabelBefore,
): Reading | null {
  const longest = readings.at(-1);
  if (!longest) return null;
  const isAtEnd = (groups[longest.next]?.joint ?? null) === null;
  const isCalledCard = isAtEnd && LABEL_AFTER.test(text.slice(longest.end, longest.end + 24));
  const label = labelBefore(longest.start) ?? (isCalledCard ? 'card' : 'other');
  if (label === 'other') return null;
  const [fewest, most] = LABELLED_DIGITS[label];
  const reading = readings.findLast(
    ({ digits, next }) => digits.length >= fewest && digits.length <= most && isJoinedLoosely(groups, first, next),
  );
  if (!reading || isMobileWithCode(reading.digits)) return null;
  return label === 'identity'
    ? { ...reading, kind: 'identity' }
    : { ...reading, digits: reading.digits.replace('x', '') };
}

function isJoinedLoosely(groups: readonly Group[], first: number, next: number): boolean {
  return groups.slice(first + 1, next).every((group) => group.joint !== null && /^[ \t.\n-]+$/.test(group.joint));
}

function isMobileWithCode(digits: string): boolean {
  return /^(?:00)?86?1[3-9]\d{9}$|^01[3-9]\d{9}$/.test(digits);
}

/** Answers, for one place after another, which label was the last before it in the same clause, at most 20 characters back. */
function labelReader(text: string): LabelBefore {
  const labels = [...text.matchAll(LABEL)];
  let next = 0;
  return (start) => {
    while (endOf(labels[next]) <= start) next++;
    const nearest = labels[next - 1];
    const from = endOf(nearest);
    if (!nearest || start - from > 20 || CLAUSE_END.test(text.slice(from, start))) return null;
    return (['other', 'identity', 'number', 'card'] as const).find((label) => nearest.groups?.[label]) ?? null;
  };
}

const endOf = (match: RegExpExecArray | undefined) =>
  match ? match.index + match[0].length : Number.POSITIVE_INFINITY;

/** What people paste after a card number without a word: its expiry and security code. */
const CARD_TAIL =
  /^([\s,;|/]{1,3})((?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?(?:2[4-9]|[34]\d)|(?:0[1-9]|1[0-2])(?:2[4-9]|[34]\d)(?=[\s,;|/]{1,3}\d{3,4}(?!\d)))(?![\d/])(?:([\s,;|/]{1,3})(\d{3,4})(?!\d))?/;

function eraseCardTail(draft: Draft, from: number): void {
  const tail = CARD_TAIL.exec(draft.text.slice(from, from + 24));
  if (!tail) return;
  const [, before = '', expiry = '', between = '', code = ''] = tail;
  const start = from + before.length;
  draft.erase(start, start + expiry.length, 'expiry');
  if (code) draft.erase(start + expiry.length + between.length, from + tail[0].length, 'cvv');
}
