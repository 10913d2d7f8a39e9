/** The kinds of value a setting can have. Each says in one sentence what it wants. */

import { isIP } from 'node:net';
import { z } from 'zod';

export function oneOf<const Choice extends string>(...choices: Choice[]) {
  return z.enum(choices, { error: `must be ${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}` });
}

export function matching(pattern: RegExp, error: string) {
  return z.string().regex(pattern, { error });
}

export function port() {
  const error = 'must be a port: a whole number from 0 to 65535';
  return matching(/^\d{1,5}$/, error)
    .transform(Number)
    .refine((value) => value <= 65_535, { error });
}

export function count() {
  return matching(/^[1-9]\d{0,8}$/, 'must be a whole number from 1 to 999999999').transform(Number);
}

export function onOrOff() {
  return oneOf('on', 'off').transform((value) => value === 'on');
}

export function host() {
  return z.string().refine((value) => isIP(value) !== 0 || /^(?!-)[a-z0-9.-]{1,253}$/i.test(value), {
    error: 'must be an IP address or a host name',
  });
}

export function address(...protocols: string[]) {
  const error = `must be an address that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`;
  return z
    .string()
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)), { error });
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).origin === value;
}

export function origin() {
  return z
    .string()
    .transform((value) => value.replace(/\/$/, ''))
    .refine(isOrigin, { error: 'must be a scheme and a host without a path' });
}

export function originOrAny() {
  return z.string().refine((value) => value === '*' || isOrigin(value), {
    error: 'must be web origins without a path, parted by commas',
  });
}

export function network() {
  return z.string().refine(isNetwork, { error: 'must be IP addresses or networks (address/bits), parted by commas' });
}

function isNetwork(value: string): boolean {
  const [base = '', bits, ...rest] = value.split('/');
  const family = isIP(base);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export function listOf<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item));
}

export function timeZone() {
  return z.string().refine(isTimeZone, { error: 'must be a time zone by its name' });
}

function isTimeZone(value: string): boolean {
  try {
    return /^[A-Z]/i.test(value) && Boolean(new Intl.DateTimeFormat('en', { timeZone: value }));
  } catch {
    return false;
  }
}

export function guid() {
  return z.guid({ error: 'must be a GUID' });
}

export function secretOf(length: number) {
  return z.string().min(length, { error: `must be at least ${length} characters long` });
}

export function aesKey() {
  return matching(/^[0-9A-Za-z]{43}$/, 'must be exactly 43 letters or digits');
}

export function bytesOfBase64(least: number) {
  const error = `must be at least ${least} bytes in base64`;
  return matching(/^[0-9A-Za-z+/_-]+={0,2}$/, error)
    .transform((value) => new Uint8Array(Buffer.from(value, 'base64')))
    .refine((bytes) => bytes.length >= least, { error });
}
