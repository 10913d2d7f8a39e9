/** What must never reach the bank's record: secrets are erased, and card, identity, phone and e-mail details are masked. */

import { findDocuments, findEmails, findForeignPhones, findMobiles } from './masking/contacts.ts';
import { Draft, type Found, fold, isInnocent, MARKERS, type SecretKind } from './masking/draft.ts';
import { findNumbers, LABEL } from './masking/numbers.ts';
import { findSecrets, findTracks, SECRET_WORD } from './masking/secrets.ts';

export type { SecretKind } from './masking/draft.ts';

/** A text as it may be stored, and which kinds of secret were taken out of it. */
export interface Masked {
  readonly text: string;
  readonly erased: readonly SecretKind[];
}

/**
 * Masks one text. Pure, and masking twice changes nothing.
 * Works on what the text looks like (full-width and spoken digits, joined over spaces and dashes) and replaces it in the original.
 *
 * @example maskText('卡号6222 0212 3456 7894，密码123456').text // '卡号**** 7894，密码[密码已删除]'
 */
export function maskText(text: string): Masked {
  const erased = new Set<SecretKind>();
  let masked = text;
  // What a first round leaves is read again, because a mask may uncover what it was joined to. Two rounds are usual.
  for (let round = 0; round < 4; round++) {
    const found = findPrivate(masked);
    if (found.length === 0) break;
    for (const one of found) if (one.secret) erased.add(one.secret);
    masked = replaceFound(masked, found);
  }
  return { text: masked, erased: [...erased] };
}

/** How deep an activity may nest. What lies deeper was refused at the door; here it becomes null rather than pass unmasked. */
const MAX_DEPTH = 64;

/**
 * Masks every string, number and key of a JSON value. A value is read together with its key, so `{ "cvv": "123" }` is seen.
 * A number that must be masked becomes a string.
 *
 * `keep` names what stays as it is: dotted paths in which `*` stands for any key or position.
 *
 * @example maskJson(activity, ['id', 'channelData.idempotencyKey', 'attachments.*.contentType'])
 */
export function maskJson<T>(value: T, keep: readonly string[] = []): { value: T; erased: readonly SecretKind[] } {
  const erased = new Set<SecretKind>();
  const paths = keep.map((path) => path.split('.'));
  return { value: maskValue(value, '', paths, new Set(), erased) as T, erased: [...erased] };
}

/**
 * Masks a text that may complete what the customer's last messages began: a number sent in pieces, or a secret after its word
 * ("我的密码是", then "123456"). `previous` is oldest first, as recorded. `completes` is true when they had a part in it.
 */
export function maskSplit(previous: readonly string[], text: string): Masked & { readonly completes: boolean } {
  if ([...previous, text].every(isInnocent)) return { text, erased: [], completes: false };
  const before = previous.slice(-3).filter((message) => isFragment(fold(message).text));
  const offset = before.reduce((length, message) => length + message.length + 1, 0);
  const alone = findPrivate(text);
  const found = findPrivate([...before, text].join('\n'))
    .filter((one) => one.end > offset)
    .map((one) => completingPart(one, offset));
  const known = new Set(alone.map((one) => `${one.start}-${one.end}`));
  const completes = found.some((one) => !known.has(`${one.start}-${one.end}`));
  const erased = new Set(found.flatMap((one) => (one.secret ? [one.secret] : [])));
  const rest = maskText(replaceFound(text, found));
  for (const kind of rest.erased) erased.add(kind);
  return { text: rest.text, erased: [...erased], completes };
}

/** Whether a message can be the beginning of something: it has digits, or the word that announces them. */
function isFragment(folded: string): boolean {
  return [/\d/, SECRET_WORD, LABEL].some((telling) => folded.search(telling) >= 0);
}

/** The part of a finding that lies in the text after `offset`; a number's last digits are not shown when its first were. */
function completingPart(found: Found, offset: number): Found {
  const begunBefore = found.start < offset;
  const replacement = begunBefore && !found.secret ? '****' : found.replacement;
  return { ...found, start: Math.max(0, found.start - offset), end: found.end - offset, replacement };
}

function replaceFound(text: string, found: readonly Found[]): string {
  let replaced = '';
  let at = 0;
  for (const one of found) {
    replaced += text.slice(at, one.start) + one.replacement;
    at = one.end;
  }
  return replaced + text.slice(at);
}

/** Everything in the text that must not be stored, in order and without overlap. */
function findPrivate(text: string): readonly Found[] {
  if (isInnocent(text)) return [];
  const draft = new Draft(text);
  if (!TELLING.test(draft.text)) return [];
  for (const find of RULES) {
    find(draft);
    draft.settle();
  }
  return draft.found();
}

/** In this order: a number that is a card is no password, and a password may look like a phone. */
const RULES = [findTracks, findEmails, findNumbers, findDocuments, findSecrets, findMobiles, findForeignPhones];

/** A text without any of these holds nothing to mask. */
const TELLING = /[\d@]|密码|口令|pass|pwd/;

function maskValue(
  value: unknown,
  key: string,
  keep: readonly (readonly string[])[],
  above: Set<object>,
  erased: Set<SecretKind>,
): unknown {
  if (keep.some((path) => path.length === 0)) return value;
  if (typeof value === 'string') return maskKeyed(key, value, erased);
  if (typeof value === 'number') return maskNumber(key, value, erased);
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value) || above.size >= MAX_DEPTH) return null;
  above.add(value);
  const masked = Array.isArray(value)
    ? value.map((item, index) => maskValue(item, key, stepInto(keep, String(index)), above, erased))
    : maskEntries(value, keep, above, erased);
  above.delete(value);
  return masked;
}

function maskEntries(
  value: object,
  keep: readonly (readonly string[])[],
  above: Set<object>,
  erased: Set<SecretKind>,
): object {
  const names = new Set<string>();
  const entries = Object.entries(value).map(([key, item], index) => {
    const masked = keyed(maskText(key), erased);
    const name = names.has(masked) ? `${masked}_${index}` : masked;
    names.add(name);
    return [name, maskValue(item, key, stepInto(keep, key), above, erased)] as const;
  });
  // Unlike assignment, this makes "__proto__" a key like any other.
  return Object.fromEntries(entries);
}

function stepInto(keep: readonly (readonly string[])[], key: string): readonly (readonly string[])[] {
  return keep.filter((path) => path[0] === key || path[0] === '*').map((path) => path.slice(1));
}

function keyed(masked: Masked, erased: Set<SecretKind>): string {
  for (const kind of masked.erased) erased.add(kind);
  return masked.text;
}

/** Fields made for a secret: whatever is in them is one. */
const SECRET_KEY =
  /^(?:(?:new|old|current|confirm|repeat|login|card|user|payment|transaction|atm) )*(?:(?<password>password|passwd|pwd|passcode|pin|密码)|(?<code>otp|(?:verification|sms|one time) ?(?:code|password)|验证码)|(?<cvv>cv[vnc]2?|安全码))$/i;
/** Fields whose name says what their value may be. */
const TELLING_KEY = /pass|pwd|pin|otp|code|cv[vnc]|exp|card|account|acct|identity|[码卡账帐证]|口令|有效期/i;

function maskKeyed(key: string, value: string, erased: Set<SecretKind>): string {
  if (!TELLING_KEY.test(key)) return keyed(maskText(value), erased);
  const label = key.replace(/(?<=[a-z])(?=[A-Z])|[_-]+/g, ' ');
  const secret = SECRET_KEY.exec(label)?.groups;
  const kind = (['password', 'code', 'cvv'] as const).find((name) => secret?.[name]);
  if (kind && value.trim())
    return keyed({ text: MARKERS[kind], erased: value === MARKERS[kind] ? [] : [kind] }, erased);
  const masked = maskText(`${label}: ${value}`);
  return masked.text.startsWith(`${label}: `)
    ? keyed(masked, erased).slice(label.length + 2)
    : keyed(maskText(value), erased);
}

function maskNumber(key: string, value: number, erased: Set<SecretKind>): number | string {
  const written = String(value);
  const masked = maskKeyed(key, written, erased);
  return masked === written ? value : masked;
}
