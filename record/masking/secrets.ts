/** Passwords, one-time codes, security codes, card expiry and track data: what is announced by a word, or has their shape, is erased. */

import { clauseBefore, type Draft, type Span, type Typed } from './draft.ts';
import { DATE } from './numbers.ts';

/** What a magnetic stripe holds: the number, a separator, the expiry and more. */
const TRACK = /%?b?\d{13,19}\^[^^\n]{2,30}\^\d{4}[^\s?]{0,60}\??|;?(?<!\d)\d{13,19}[=d]\d{7,40}(?:=\d{0,60})?\??/g;

export function findTracks(draft: Draft): void {
  if (!/[\^=d]\d{4}|\^/.test(draft.text)) return;
  for (const track of draft.text.matchAll(TRACK)) draft.erase(track.index, track.index + track[0].length, 'track');
}

/** The words that announce a secret. Of two that begin together the first listed counts. */
export const SECRET_WORD =
  /(?<code>动态密码|动态口令|一次性密码|验证码|校验码|动态码|短信码|授权码|(?<![a-z])(?:one[ -]?time[ -]?(?:password|passcode|code|pin)|otp|(?:verification|authori[sz]ation|authentication|sms|login|security|access) ?code|code)(?![a-z]))|(?<password>密码|口令|(?<![a-z])(?:pass ?word|passwd|pwd|pass ?code|pass ?phrase|pin)(?![a-rt-z]))|(?<cvv>(?<![a-z])cv[vnc]2?(?![a-z])|安全码|(?:背面|反面|背后|签名栏)[^\d,]{0,5}[三3]位(?:数字?|码)?)|(?<expiry>有效期[限至到]?|(?<![a-z])(?:exp(?:iry|iration)?(?: date| on)?|valid (?:thru|through|till|until)|good thru)(?![a-z]))/g;

/** Codes that are no secret: branch code, error code, SWIFT code. */
const HARMLESS_CODE =
  /(?<![a-z])(?:branch|bank|swift|bic|sort|routing|clearing|cnaps|zip|postal|post|pin|area|country|city|region|province|dial(?:l?ing)?|error|fault|status|response|result|return|exit|reason|http|product|fund|stock|article|promo(?:tion)?|discount|coupon|voucher|gift|referral|invit(?:e|ation)|qr|bar|colou?r|currency|merchant|category|tax|credit|organi[sz]ation|industry|institution|department|staff|employee|agent|teller|transaction|reference|ref|case|tracking|order|service|short|ussd|building|door|room|dress|source|country's|branch's|bank's)(?:'s)? $/;

const COPULA = '[:=]|就?是|为|[改设换]?(?:置|定)?成|[改设换]为|(?<![a-z])(?:is|was|are|be)(?![a-z])';
/** What may stand between the word and the secret, and says nothing else. */
const GAP = new RegExp(
  `(?:[\\s,"'“”‘’「」()\\[\\]{}<>|*#码-]|${COPULA}|现在|应该|可能|好像|我的?|你们?发来?的|刚才|收到的?|生日|号|写的|(?<![a-z])(?:i|we|you|just|got|received|sent|gave|me|my|from|the|sms|text|message|says|that|to|number|no|code|which|should|set|as|i'm|for|card|account|login)(?![a-z\\d])){0,24}`,
  'y',
);
const HAS_COPULA = new RegExp(COPULA);
/** A number after these says something else than the secret. */
const OTHER_NUMBER =
  /[卡账帐单尾编代]号|[代错]误?码|尾|电话|手机|客服|热线|流水|邮编|金额|余额|[转存取付扣还打拨]|发[到给送]|[¥$]|[a-z]/;
/** A number before these counts or measures something. */
const UNIT =
  /^ ?(?:[元块万千百亿年月日次位天个笔秒分点岁名%号]|小时|rmb|cny|usd|yuan|dollars?|times|days?|hours?|minutes?|seconds?|digits?|characters?|attempts?|years?|months?|[.:/]\d)/;
/** Short numbers that are called, not typed. */
const HOTLINE = /^(?:9[56]\d{3}|1(?:00(?:00|10|86)|2(?:3(?:15|45|63|78|88)|110))|110|119|120|122|400|800)$/;

interface Lengths {
  readonly fewest: number;
  readonly most: number;
  /** How many digits count when other words stand between. */
  readonly loose: readonly number[];
}

const LENGTHS: Readonly<Record<Typed, Lengths>> = {
  password: { fewest: 4, most: 20, loose: [6] },
  code: { fewest: 4, most: 8, loose: [4, 5, 6] },
  cvv: { fewest: 3, most: 4, loose: [3] },
};

export function findSecrets(draft: Draft): void {
  for (const match of draft.text.matchAll(SECRET_WORD)) {
    const end = match.index + match[0].length;
    if (match.index < draft.floor) continue;
    const kind = announcedKind(draft.text, match, end);
    if (kind === 'expiry') eraseExpiry(draft, match.index, end);
    else if (kind) eraseSecret(draft, kind, match.index, end);
  }
}

function announcedKind(text: string, match: RegExpExecArray, end: number): Typed | 'expiry' | null {
  if (match.groups?.expiry) return 'expiry';
  if (match.groups?.cvv) return 'cvv';
  if (match.groups?.password) return 'password';
  if (isHarmlessCode(text, match.index, match[0])) return null;
  // A security code of three or four digits is the card's; a longer one came by message.
  return /^security/.test(match[0]) && /^[^\d]{0,12}\d{3,4}(?!\d)/.test(text.slice(end, end + 17)) ? 'cvv' : 'code';
}

function isHarmlessCode(text: string, start: number, word: string): boolean {
  return word === 'code' && HARMLESS_CODE.test(text.slice(Math.max(0, start - 20), start));
}

function eraseSecret(draft: Draft, kind: Typed, start: number, end: number): void {
  const before = secretBefore(draft, kind, start);
  if (before) draft.erase(before.start, before.end, kind);
  let span = secretAfter(draft.text, kind, end) ?? looseSecretAfter(draft.text, kind, end);
  while (span) {
    draft.erase(span.start, span.end, kind);
    span = nextSecret(draft.text, kind, span.end);
  }
}

function secretAfter(text: string, kind: Typed, from: number): Span | null {
  GAP.lastIndex = from;
  const gap = GAP.exec(text)?.[0] ?? '';
  const start = from + gap.length;
  return readDigits(text, kind, start, HAS_COPULA.test(gap)) ?? readWord(text, kind, start, gap);
}

/** Other words may stand between a Chinese word and a number of exactly the usual length: 密码好像输成了123456. */
function looseSecretAfter(text: string, kind: Typed, from: number): Span | null {
  const match = /^([^\da-z,。!?;\uffff]{0,6}?[^\da-z。!?;\uffff])(\d+)(?![\da-z-])/.exec(text.slice(from, from + 20));
  if (!match) return null;
  const [, between = '', digits = ''] = match;
  const start = from + between.length;
  const isOther =
    between.length > 6 ||
    OTHER_NUMBER.test(between) ||
    HOTLINE.test(digits) ||
    UNIT.test(text.slice(start + digits.length, start + digits.length + 12));
  return !isOther && LENGTHS[kind].loose.includes(digits.length) ? { start, end: start + digits.length } : null;
}

/** One more secret of the same kind: 密码123456或者654321. */
function nextSecret(text: string, kind: Typed, from: number): Span | null {
  const or = /^\s?(?:,|\/|、|或者?|还是|不对?是?|or|and|then)\s?(?:是|试过?)?(?=\d)/.exec(text.slice(from, from + 12));
  return or ? readDigits(text, kind, from + or[0].length, false) : null;
}

function readDigits(text: string, kind: Typed, start: number, isSaid: boolean): Span | null {
  const groups = /^\d+(?:[ -]\d+)*/.exec(text.slice(start, start + 40))?.[0];
  if (!groups || DATE.test(groups)) return null;
  const parts = groups.split(/[ -]/);
  // 483 920 is one code; in 123456 2026-11-23 only the first group is the secret.
  const isOneNumber = new Set(parts.map((part) => part.length)).size === 1;
  const fewest = isSaid ? 3 : LENGTHS[kind].fewest;
  return (
    (isOneNumber && acceptDigits(text, kind, start, groups, fewest)) ||
    acceptDigits(text, kind, start, parts[0] ?? '', fewest)
  );
}

function acceptDigits(text: string, kind: Typed, start: number, written: string, fewest: number): Span | null {
  const count = written.replace(/\D/g, '').length;
  const end = start + written.length;
  if (count < fewest || count > LENGTHS[kind].most || (kind === 'code' && (count < 4 || HOTLINE.test(written))))
    return null;
  return UNIT.test(text.slice(end, end + 12)) || /[a-z]/.test(text.charAt(end)) ? null : { start, end };
}

/** What is said of a password rather than typed as one. */
const SAID_OF_PASSWORD =
  /^(?:pin|otp|sms|app|atm|password|passcode|wifi|null|none|not|never|always|still|too|very|so|the|this|that|same|what|which|where|when|why|how|case|only|also|now|here|there|wrong|correct|right|incorrect|invalid|valid|weak|strong|secure|safe|unsafe|secret|private|important|mandatory|optional|forgotten|lost|gone|missing|unknown|known|stolen|hidden|visible|empty|different|similar|identical|okay|fine|good|easy|hard|simple|complex|complicated|long|short|reset|accepted|temporary|permanent|numeric|alphanumeric|digits|letters|numbers|longer|shorter|broken|working|unavailable|ready|back|compulsory|essential|necessary|sensitive|suspicious|public|mine|yours|theirs|about|between|from|with|after|before|under|over|because|since|please|really|just|almost|probably|maybe|being|used|saved|more|less|enough|forbidden|written|shown|given|taken|known|sent|kept|bad|https?.*|www.*|\w+(?:ed|ing|ly|able|ible))$/;
const TYPED = /^[!-+\--:<-~]{3,64}/;

/** A password or code with letters in it. */
function readWord(text: string, kind: Typed, start: number, gap: string): Span | null {
  const word = TYPED.exec(text.slice(start, start + 65))?.[0].replace(/[.?)\]}>"':]+$/, '') ?? '';
  const end = start + word.length;
  if (kind === 'cvv' || word.length < 4 || !/[a-z!#$%&@^*_+~]/.test(word)) return null;
  if (kind === 'code')
    return /^(?:[a-z]{1,3}-?\d{4,8}|(?=.*\d)[a-z\d]{4,6})$/.test(word) && isGiven(gap) ? { start, end } : null;
  if (/\d/.test(word)) return isGiven(gap) ? { start, end } : null;
  const isQuoted = /["'“‘「]\s*$/.test(gap) && /^["'”’」]/.test(text.slice(end, end + 1));
  return isQuoted || isWholeAnswer(text, gap, word, end) ? { start, end } : null;
}

/** "password abc123" and "password for my card is abc123" give one; "the pin for my 401k" does not. */
function isGiven(gap: string): boolean {
  return HAS_COPULA.test(gap) || !/[a-z]/.test(gap);
}

/** Letters alone are a password only when they are given as one, and nothing follows: "is sunshine", not "is wrong" or "is too short". */
function isWholeAnswer(text: string, gap: string, word: string, end: number): boolean {
  if (!HAS_COPULA.test(gap) || gap.includes(',')) return false;
  return !SAID_OF_PASSWORD.test(word.replace(/[!']/g, '')) && !/^ ?[a-z]/.test(text.slice(end, end + 2));
}

/** The secret said first: 123456是我的密码, 483920 is the code, 483920（动态码）. */
const SAID_BEFORE =
  /(?<![!-'*+\--9<-~])([!-'*+\--9<-~]{3,32})["'”’]?\s?(?:就?是|为|(?<![a-z])is|\(|\[)\s?(?:我的?|本人|你们|他的?|的|新|老|旧|短信|手机|登录|支付|交易|取款|查询|银行|信用|卡|my|the|your|our|new|old|sms|card|bank|account|atm|login|one-time|\s)*$/;

function secretBefore(draft: Draft, kind: Typed, start: number): Span | null {
  const from = Math.max(draft.floor, start - 56);
  const match = SAID_BEFORE.exec(draft.text.slice(from, start));
  if (!match) return null;
  const word = match[1] ?? '';
  const at = from + match.index;
  const { fewest, most } = LENGTHS[kind];
  const isNumber = /^\d+$/.test(word) && word.length >= fewest && word.length <= most;
  const isWord = kind === 'password' && word.length >= 4 && /\d/.test(word) && /[a-z]/.test(word);
  return isNumber || isWord ? { start: at, end: at + word.length } : null;
}

const EXPIRY =
  /^[\s:=,"'(]{0,3}(?:是|为|到|至|is|date|on)?[\s:=]{0,2}((?:0?[1-9]|1[0-2]) ?[/.-] ?(?:20)?(?:2[4-9]|[34]\d)|(?:0[1-9]|1[0-2])(?:20)?(?:2[4-9]|[34]\d)|(?:2[4-9]|[34]\d) ?年 ?(?:0?[1-9]|1[0-2]) ?月|(?:2[4-9]|[34]\d) ?[/.-] ?(?:0[1-9]|1[0-2])|20(?:2[4-9]|[34]\d) ?[年/.-] ?(?:0?[1-9]|1[0-2])(?: ?月)?)(?!\d| ?[/.~-] ?\d| ?[至到日天个号]|\d)/;
/** Things other than a card that have a term. */
const OTHER_TERM =
  /身份证|证件|护照|通行证|驾照|执照|签证|优惠|活动|积分|报价|保单|合同|存单|产品|理财|授权|盾|证书|密码|验证码|链接|券|offer|coupon|passport|permit|licen[cs]e|points?|promotion|quote|policy|contract|voucher|rate|product|\bid\b|password|code|link|certificate/;

function eraseExpiry(draft: Draft, start: number, from: number): void {
  const match = EXPIRY.exec(draft.text.slice(from, from + 28));
  if (!match || OTHER_TERM.test(clauseBefore(draft.text, start, 16))) return;
  const date = match[1] ?? '';
  const isOfCard = !/^20\d\d/.test(date) || /卡|card/.test(clauseBefore(draft.text, start, 40));
  const end = from + match[0].length;
  if (isOfCard) draft.erase(end - date.length, end, 'expiry');
}
