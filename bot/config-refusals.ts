/** What stops the start although every value is well formed. New refusals come with the feature they guard. */

import { BlockList, isIP } from 'node:net';
import type { Environment, Problem, Understood } from './config.ts';

type Refusal = (settings: Understood, given: Environment) => Iterable<Problem>;

/** The settings that contradict each other, or that the mode must not have. */
export function refusals(settings: Understood, given: Environment): Problem[] {
  const rules = [microsoftApp, settings.LOBBY_MODE === 'production' ? production : demo];
  return rules.flatMap((rule) => [...rule(settings, given)]);
}

const microsoftApp: Refusal = function* (settings) {
  const type = settings.MICROSOFT_APP_TYPE ?? 'MultiTenant';
  const managed = type === 'UserAssignedMSI';
  if (settings.MICROSOFT_APP_ID === undefined) {
    if (settings.MICROSOFT_APP_PASSWORD !== undefined) {
      yield problem('MICROSOFT_APP_ID', 'is missing, but MICROSOFT_APP_PASSWORD is set');
    }
    return;
  }
  if (type === 'None') {
    const why = 'is None, which closes /api/messages, but MICROSOFT_APP_ID is set: remove one of them';
    yield problem('MICROSOFT_APP_TYPE', why, 'unset MICROSOFT_APP_ID');
    return;
  }
  if (!managed && settings.MICROSOFT_APP_PASSWORD === undefined) {
    yield problem('MICROSOFT_APP_PASSWORD', `is missing: a ${type} app answers its channels with it`);
  }
  if ((managed || type === 'SingleTenant') && settings.MICROSOFT_APP_TENANT_ID === undefined) {
    yield problem('MICROSOFT_APP_TENANT_ID', `is missing: a ${type} app belongs to one tenant`);
  }
};

const demo: Refusal = function* (settings) {
  if (settings.HOST !== undefined && !isLoopback(settings.HOST)) {
    const why = `is ${settings.HOST}, but demo mode listens on this machine only, for its passwords are public. Correct it, or set LOBBY_MODE=production`;
    yield problem('HOST', why, 'HOST=127.0.0.1');
  }
  const why =
    'is a real channel’s secret, and the demo must not reach real customers. Remove it, or set LOBBY_MODE=production';
  if (settings.MICROSOFT_APP_PASSWORD !== undefined) {
    yield problem('MICROSOFT_APP_PASSWORD', why, 'unset MICROSOFT_APP_PASSWORD');
  }
  if (settings.WECHAT_APP_SECRET !== undefined && !isLoopback(hostOf(settings.WECHAT_API_BASE))) {
    yield problem('WECHAT_APP_SECRET', why, 'unset WECHAT_APP_SECRET');
  }
};

const production: Refusal = function* (settings, given) {
  if (settings.DATA_KEY === undefined) {
    yield problem('DATA_KEY', 'is missing: production encrypts customers’ identities with a key of the bank’s own');
  }
  if (settings.MICROSOFT_APP_ID === undefined && settings.MICROSOFT_APP_TYPE !== 'None') {
    const why = 'is missing, so /api/messages would be open to anybody. A bank without Microsoft’s channels closes it';
    yield problem('MICROSOFT_APP_ID', why, 'MICROSOFT_APP_TYPE=None');
  }
  if (settings.PUBLIC_URL?.startsWith('https://') === false) {
    yield problem('PUBLIC_URL', 'must begin with https:// in production');
  }
  if (settings.CHAT_ORIGINS?.includes('*')) {
    yield problem('CHAT_ORIGINS', 'is *, which lets any web site show the bank’s chat: list the bank’s own sites');
  }
  if (settings.DATABASE_URL !== undefined && !staysHereOrIsEncrypted(settings.DATABASE_URL)) {
    yield problem('DATABASE_URL', 'goes to another machine unencrypted: add sslmode=verify-full');
  }
  if (given.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const why = 'is 0, so any certificate would be believed';
    yield problem('NODE_TLS_REJECT_UNAUTHORIZED', why, 'unset NODE_TLS_REJECT_UNAUTHORIZED');
  }
  yield* sharedSecrets(given);
};

/** One key, one purpose: whoever learns one secret must not hold another with it. */
function* sharedSecrets(given: Environment): Iterable<Problem> {
  const seen = new Map<string, string>();
  for (const name of ['DATA_KEY', 'DIRECT_LINE_SECRET', 'BANK_TOKEN_KEY']) {
    const value = given[name];
    if (value === undefined) continue;
    const other = seen.get(value);
    if (other !== undefined) yield problem(name, `is the same as ${other}: give each its own`);
    seen.set(value, name);
  }
}

/** Without an example of its own a problem gets the setting's. */
function problem(name: string, why: string, example = ''): Problem {
  return { name, why, example };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function hostOf(url: string | undefined): string {
  return url === undefined ? '' : new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** A socket file and loopback need no encryption; `require` and the stronger modes bring it. */
export function staysHereOrIsEncrypted(databaseUrl: string): boolean {
  const { searchParams } = new URL(databaseUrl);
  const target = searchParams.get('host') ?? decodeURIComponent(hostOf(databaseUrl));
  if (target === '' || target.startsWith('/') || isLoopback(target)) return true;
  return ['require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode') ?? '');
}
