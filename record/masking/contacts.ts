/** E-mail addresses, phone numbers and travel papers. Landlines and the bank's hotlines are left alone. */

import type { Draft } from './draft.ts';
import { maskIdentity } from './numbers.ts';

/** Looks out from each @, because a pattern that begins with the name would read a long text once per character. */
export function findEmails(draft: Draft): void {
  for (let at = draft.text.indexOf('@'); at >= 0; at = draft.text.indexOf('@', at + 1)) {
    const name = /[\w.%+-]{1,64}$/.exec(draft.text.slice(Math.max(0, at - 64), at))?.[0] ?? '';
    const domain = /^(?:[a-z\d-]{1,63}\.){1,5}[a-z]{2,24}(?![\w-])/.exec(draft.text.slice(at + 1, at + 256))?.[0];
    if (name && domain) draft.replace(at - name.length, at, `${draft.original(at - name.length)}***`);
  }
}

/** A mainland mobile number as people write it, with or without the country's code, which stays. */
const MOBILE =
  /(?<!\d)((?:(?:00)?86|0)?)(1[3-9]\d{9}|1[3-9]\d([ .-]{1,3})\d{4}\3\d{4}|1[3-9]\d[ -]\d{8}|1[3-9]\d{5}[ -]\d{4}|1[3-9]\d\d[ -]\d{4}[ -]\d{3}|1[3-9]\d[ -]\d{3}[ -]\d{5}|1[ -][3-9](?:[ -]\d){9})(?!\d)/g;
const FOREIGN_PHONE = /\+(?!86)\d{1,4}(?:[ -]?\(?\d{1,14}\)?){1,5}/g;

export function findMobiles(draft: Draft): void {
  for (const match of draft.text.matchAll(MOBILE)) {
    const [whole, code = '', phone = ''] = match;
    const digits = phone.replace(/\D/g, '');
    draft.replace(
      match.index + code.length,
      match.index + whole.length,
      `${digits.slice(0, 3)}****${digits.slice(-4)}`,
    );
  }
}

export function findForeignPhones(draft: Draft): void {
  for (const match of draft.text.matchAll(FOREIGN_PHONE)) {
    const digits = match[0].replace(/\D/g, '');
    if (digits.length >= 10 && digits.length <= 15)
      draft.replace(match.index, match.index + match[0].length, `+****${digits.slice(-4)}`);
  }
}

/** A passport, a Hong Kong, Macao or Taiwan permit or identity card, named as such. */
const DOCUMENT =
  /(?:护照|通行证|回乡证|台胞证|居留证|居住证|身份证|证件|passport|permit|hkid)[^\d。!?;]{0,12}?(?<![a-z])([a-z]{1,2}[ -]?\d{6,10}(?: ?\([\da]\))?)(?![\da-z])(?!-\d)/g;

export function findDocuments(draft: Draft): void {
  for (const match of draft.text.matchAll(DOCUMENT)) {
    const number = match[1] ?? '';
    const end = match.index + match[0].length;
    draft.replace(end - number.length, end, maskIdentity(number.replace(/[^a-z\d]/g, '')));
  }
}
