/** Every setting of Lobby: what it means, what holds without it, and what stops the start. The only reader of the environment. */

import { resolve } from 'node:path';
import { z } from 'zod';
import { CodedError } from '../adapters/channel.ts';
import { refusals } from './config-refusals.ts';
import {
  address,
  aesKey,
  bytesOfBase64,
  count,
  guid,
  host,
  listOf,
  matching,
  network,
  oneOf,
  onOrOff,
  origin,
  originOrAny,
  port,
  secretOf,
  timeZone,
} from './config-values.ts';

/** What the README says about a setting. `secret` keeps its value out of messages; `later` names what will use it. */
interface SettingDoc {
  readonly meaning: string;
  readonly example: string;
  /** What holds when the setting is absent, where the schema has no default of its own. */
  readonly otherwise?: string;
  readonly secret?: boolean;
  /** The part of Lobby that will use the setting and is not in this version. */
  readonly later?: string;
}

const documented = z.registry<SettingDoc>();

/** The whole environment, in the order of the README's table. Each variable is declared once, here. */
const environment = z.object({
  LOBBY_MODE: oneOf('demo', 'production').prefault('demo').register(documented, {
    meaning: 'The demo bank on this machine only, or a bank’s own service.',
    example: 'production',
  }),
  HOST: host().prefault('127.0.0.1').register(documented, {
    meaning: 'The address to listen on. Demo mode listens on loopback only.',
    example: '0.0.0.0',
  }),
  PORT: port().prefault('3978').register(documented, {
    meaning: 'The port to listen on; 0 takes any free one.',
    example: '8080',
  }),
  PUBLIC_URL: origin().optional().register(documented, {
    meaning: 'How customers reach Lobby from outside, behind the bank’s proxy.',
    otherwise: 'the address it listens on',
    example: 'https://lobby.bank.example',
  }),
  TRUSTED_PROXIES: listOf(network()).prefault('').register(documented, {
    meaning: 'Addresses or networks of the proxies whose `X-Forwarded-For` counts.',
    example: '10.0.0.0/8,192.0.2.7',
  }),
  METRICS_PORT: port().optional().register(documented, {
    meaning: 'A port of its own for `/metrics`, on loopback. In demo mode `/metrics` is on `PORT` too.',
    otherwise: 'no such port',
    example: '9464',
  }),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').prefault('info').register(documented, {
    meaning: 'How much is logged. No level logs what customers write.',
    example: 'warn',
  }),
  BANK_TIME_ZONE: timeZone().prefault('Asia/Shanghai').register(documented, {
    meaning: 'The time zone of the bank’s dates and opening hours.',
    example: 'Asia/Hong_Kong',
  }),

  DATABASE_URL: address('postgres', 'postgresql').optional().register(documented, {
    meaning: 'The bank’s PostgreSQL: the login that owns the tables.',
    otherwise: 'Lobby runs a private PostgreSQL in `DATA_DIR`',
    example: 'postgres://lobby:secret@db.bank.example:5432/lobby?sslmode=verify-full',
    secret: true,
  }),
  DATA_DIR: z.string().prefault('./data').register(documented, {
    meaning: 'The folder of the private PostgreSQL and of the keys made in demo mode.',
    example: '/var/lib/lobby',
  }),
  DATA_KEY: bytesOfBase64(32).optional().register(documented, {
    meaning: 'The key of the encrypted columns and of the visitors’ tokens: at least 32 random bytes in base64.',
    otherwise: 'demo: made once, kept in `DATA_DIR`; production: required',
    example: 'the output of `openssl rand -base64 32`',
    secret: true,
  }),
  REDIS_URL: address('redis', 'rediss').optional().register(documented, {
    meaning: 'Redis, by which several instances share the work.',
    otherwise: 'one instance',
    example: 'rediss://:secret@redis.bank.example:6380',
    secret: true,
  }),

  CHAT_ORIGINS: listOf(originOrAny()).prefault('').register(documented, {
    meaning: 'The web sites that may show the chat (`/embed.js`) and open its stream, beside Lobby’s own pages.',
    example: 'https://www.bank.example,https://m.bank.example',
  }),
  CHAT_UPLOADS: onOrOff().optional().register(documented, {
    meaning: 'Whether customers may send files.',
    otherwise: 'on in demo, off in production',
    example: 'on',
  }),
  DIRECT_LINE_SECRET: secretOf(32).optional().register(documented, {
    meaning: 'With it the bank’s own servers ask for Direct Line tokens. It never goes into a page.',
    otherwise: 'tokens only from `/api/chat/token`',
    example: 'the output of `openssl rand -hex 32`',
    secret: true,
  }),
  BANK_TOKEN_KEY: secretOf(32).optional().register(documented, {
    meaning: 'What checks the tokens by which the bank’s own app says who the customer is.',
    otherwise: 'demo: made for the demo customers; production: visitors stay anonymous',
    example: 'the output of `openssl rand -hex 32`',
    secret: true,
  }),
  RATE_TOKENS_PER_MINUTE: count().prefault('60').register(documented, {
    meaning: 'Chat tokens given to one address in a minute.',
    example: '300',
  }),
  RATE_CONVERSATIONS_PER_MINUTE: count().prefault('60').register(documented, {
    meaning: 'Conversations begun from one address in a minute.',
    example: '300',
  }),
  RATE_POSTS_PER_MINUTE: count().prefault('60').register(documented, {
    meaning: 'Messages in one conversation in a minute.',
    example: '120',
  }),
  RATE_UPLOADS_PER_MINUTE: count().prefault('10').register(documented, {
    meaning: 'Files in one conversation in a minute.',
    example: '5',
  }),

  MICROSOFT_APP_TYPE: oneOf('MultiTenant', 'SingleTenant', 'UserAssignedMSI', 'None').optional().register(documented, {
    meaning: 'How `/api/messages` knows Microsoft’s Bot Framework channels; `None` closes the address.',
    otherwise: '`MultiTenant`; demo without app id: open to this machine',
    example: 'SingleTenant',
  }),
  MICROSOFT_APP_ID: guid().optional().register(documented, {
    meaning: 'The app id of the bot in Azure.',
    example: '00000000-0000-4000-8000-000000000000',
  }),
  MICROSOFT_APP_PASSWORD: secretOf(1).optional().register(documented, {
    meaning: 'The app’s client secret; not needed by `UserAssignedMSI`.',
    example: 'the client secret Azure shows once',
    secret: true,
  }),
  MICROSOFT_APP_TENANT_ID: guid().optional().register(documented, {
    meaning: 'The tenant of a `SingleTenant` or `UserAssignedMSI` app.',
    example: '00000000-0000-4000-8000-000000000001',
  }),

  WECHAT_APP_ID: matching(/^wx[0-9a-z]{16}$/, 'must be the Official Account’s app id: wx and 16 letters or digits')
    .optional()
    .register(documented, {
      meaning: 'The app id of the WeChat Official Account.',
      example: 'wx0123456789abcdef',
      later: 'the WeChat channel',
    }),
  WECHAT_APP_SECRET: matching(/^[0-9a-f]{32}$/, 'must be the Official Account’s app secret: 32 hexadecimal digits')
    .optional()
    .register(documented, {
      meaning: 'The app secret of the Official Account.',
      example: 'the secret the Official Account’s console shows once',
      secret: true,
      later: 'the WeChat channel',
    }),
  WECHAT_TOKEN: matching(/^[0-9A-Za-z]{3,32}$/, 'must be 3 to 32 letters or digits')
    .optional()
    .register(documented, {
      meaning: 'The token by which WeChat signs its calls.',
      example: 'the token entered in the Official Account’s console',
      secret: true,
      later: 'the WeChat channel',
    }),
  WECHAT_ENCODING_AES_KEY: aesKey().optional().register(documented, {
    meaning: 'The key of WeChat’s encrypted messages.',
    example: 'the 43 characters from the Official Account’s console',
    secret: true,
    later: 'the WeChat channel',
  }),
  WECHAT_ENCODING_AES_KEY_PREVIOUS: aesKey().optional().register(documented, {
    meaning: 'The key before the last change, read until WeChat has switched.',
    example: 'the 43 characters used before the change',
    secret: true,
    later: 'the WeChat channel',
  }),
  WECHAT_API_BASE: address('http', 'https').prefault('https://api.weixin.qq.com').register(documented, {
    meaning: 'Where WeChat’s API is; a simulator in tests.',
    example: 'http://127.0.0.1:4010',
    later: 'the WeChat channel',
  }),

  CLU_ENDPOINT: address('https').optional().register(documented, {
    meaning: 'Azure Conversational Language Understanding, instead of Lobby’s own.',
    otherwise: 'understanding stays local',
    example: 'https://bank.cognitiveservices.azure.com',
    later: 'understanding by Azure',
  }),
  CLU_KEY: secretOf(1).optional().register(documented, {
    meaning: 'The key of the Azure resource.',
    example: 'one of the two keys Azure shows',
    secret: true,
    later: 'understanding by Azure',
  }),
  CLU_PROJECT: z.string().optional().register(documented, {
    meaning: 'The project’s name.',
    example: 'lobby',
    later: 'understanding by Azure',
  }),
  CLU_DEPLOYMENT: z.string().optional().register(documented, {
    meaning: 'The deployment’s name.',
    example: 'production',
    later: 'understanding by Azure',
  }),
  CLU_DATA_EXPORT: oneOf('allowed').optional().register(documented, {
    meaning: 'The bank’s word that masked text may leave for Azure; each customer must consent too.',
    otherwise: 'not allowed',
    example: 'allowed',
    later: 'understanding by Azure',
  }),

  OIDC_ISSUER: address('http', 'https').optional().register(documented, {
    meaning: 'The bank’s identity provider, for staff sign-in.',
    example: 'https://login.bank.example',
    later: 'the staff desk',
  }),
  OIDC_CLIENT_ID: z.string().optional().register(documented, {
    meaning: 'Lobby’s name at the identity provider.',
    example: 'lobby',
    later: 'the staff desk',
  }),
  OIDC_CLIENT_SECRET: secretOf(1).optional().register(documented, {
    meaning: 'Lobby’s secret at the identity provider.',
    example: 'the secret the identity provider gave',
    secret: true,
    later: 'the staff desk',
  }),

  CORE_BANK_URL: address('http', 'https').optional().register(documented, {
    meaning: 'The core bank’s read-only interface.',
    example: 'https://core.bank.example/lobby',
    later: 'the core bank',
  }),
  CORE_BANK_TOKEN: secretOf(1).optional().register(documented, {
    meaning: 'What Lobby shows the core bank.',
    example: 'the token the core bank gave',
    secret: true,
    later: 'the core bank',
  }),
});

type SettingName = keyof typeof environment.shape;
type Settings = z.output<typeof environment>;

const anyOf = environment.partial();
/** What could be understood of a partly wrong environment. */
export type Understood = z.output<typeof anyOf>;

/** The environment as given, without blank values. */
export type Environment = Readonly<Record<string, string>>;

/** What the service is built from. Read once, never changed. */
export interface Config {
  readonly mode: 'demo' | 'production';
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Without a trailing slash; undefined means "the address Lobby listens on". */
    readonly publicUrl: string | undefined;
    /** Addresses and CIDR networks whose `X-Forwarded-For` is believed. */
    readonly trustedProxies: readonly string[];
    readonly metricsPort: number | undefined;
  };
  readonly logLevel: Settings['LOG_LEVEL'];
  readonly bank: { readonly timeZone: string };
  readonly storage: {
    /** The bank's PostgreSQL; undefined means the private one under `dataDir`. */
    readonly databaseUrl: string | undefined;
    /** Absolute. */
    readonly dataDir: string;
    /** At least 32 bytes; undefined only in demo mode, where one is made and kept under `dataDir`. */
    readonly dataKey: Uint8Array | undefined;
  };
  readonly chat: {
    /** Sites beside Lobby's own that may embed the chat; `*` (demo only) means any. */
    readonly origins: readonly string[];
    readonly uploads: boolean;
    readonly directLineSecret: string | undefined;
    readonly bankTokenKey: string | undefined;
  };
  /** Undefined: this is the only instance, or the others are found by the database alone. */
  readonly redisUrl: string | undefined;
  /** Most of each in one minute. */
  readonly rates: {
    readonly tokensPerAddress: number;
    readonly conversationsPerAddress: number;
    readonly postsPerConversation: number;
    readonly uploadsPerConversation: number;
  };
  readonly botFramework: BotFrameworkAccess;
  /** Sentences for the operator: set, but misspelt or without effect. */
  readonly warnings: readonly string[];
}

/** Who may post to `/api/messages`: anybody on this machine (demo), nobody, or Microsoft's channels by their signature. */
export type BotFrameworkAccess =
  | { readonly access: 'open' }
  | { readonly access: 'closed' }
  | {
      readonly access: 'verified';
      readonly type: 'MultiTenant' | 'SingleTenant' | 'UserAssignedMSI';
      readonly appId: string;
      readonly appPassword: string | undefined;
      readonly tenantId: string | undefined;
    };

/** One thing to put right before Lobby can start. */
export interface Problem {
  readonly name: string;
  readonly why: string;
  readonly example: string;
}

/** The settings are wrong. The message lists every problem with its name, the reason and an example. */
export class ConfigError extends CodedError {
  readonly problems: readonly Problem[];
  /** What the process exits with: EX_CONFIG of sysexits.h. */
  readonly exitCode = 78;

  constructor(problems: readonly Problem[]) {
    super('config_wrong', describe(problems));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the settings, or throws a {@link ConfigError} that lists all problems at once.
 * A variable that is empty or blank counts as absent.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = withoutBlanks(env);
  const parsed = environment.safeParse(given);
  const problems = parsed.success ? [] : wrongValues(parsed.error, given);
  problems.push(...contradictions(given, new Set(problems.map(({ name }) => name))));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return toConfig(parsed.data, [...warningsAbout(given), ...shortcomings(parsed.data)]);
}

/** The README's table of settings, as Markdown. A test holds the README to it. */
export function settingsTable(): string {
  const rows = Object.entries(environment.shape).map(([name, schema]) => {
    const doc = documentation(name as SettingName);
    const meaning = doc.later ? `${doc.meaning} *Not used by this version: it comes with ${doc.later}.*` : doc.meaning;
    return `| \`${name}\` | ${meaning} | ${defaultInWords(schema, doc)} | ${exampleInWords(doc)} |`;
  });
  return ['| setting | meaning | without it | example |', '|---|---|---|---|', ...rows].join('\n');
}

function toConfig(settings: Settings, warnings: readonly string[]): Config {
  return {
    mode: settings.LOBBY_MODE,
    http: {
      host: settings.HOST,
      port: settings.PORT,
      publicUrl: settings.PUBLIC_URL,
      trustedProxies: settings.TRUSTED_PROXIES,
      metricsPort: settings.METRICS_PORT,
    },
    logLevel: settings.LOG_LEVEL,
    bank: { timeZone: settings.BANK_TIME_ZONE },
    storage: {
      databaseUrl: settings.DATABASE_URL,
      dataDir: resolve(settings.DATA_DIR),
      dataKey: settings.DATA_KEY,
    },
    chat: {
      origins: settings.CHAT_ORIGINS,
      uploads: settings.CHAT_UPLOADS ?? settings.LOBBY_MODE === 'demo',
      directLineSecret: settings.DIRECT_LINE_SECRET,
      bankTokenKey: settings.BANK_TOKEN_KEY,
    },
    rates: {
      tokensPerAddress: settings.RATE_TOKENS_PER_MINUTE,
      conversationsPerAddress: settings.RATE_CONVERSATIONS_PER_MINUTE,
      postsPerConversation: settings.RATE_POSTS_PER_MINUTE,
      uploadsPerConversation: settings.RATE_UPLOADS_PER_MINUTE,
    },
    redisUrl: settings.REDIS_URL,
    botFramework: botFrameworkAccess(settings),
    warnings,
  };
}

function botFrameworkAccess(settings: Settings): BotFrameworkAccess {
  const type = settings.MICROSOFT_APP_TYPE ?? 'MultiTenant';
  if (type === 'None') return { access: 'closed' };
  if (settings.MICROSOFT_APP_ID === undefined) return { access: 'open' };
  return {
    access: 'verified',
    type,
    appId: settings.MICROSOFT_APP_ID,
    appPassword: settings.MICROSOFT_APP_PASSWORD,
    tenantId: settings.MICROSOFT_APP_TENANT_ID,
  };
}

// What is said to the operator.

/** Rules over several settings, silent about those whose value is already reported as wrong. */
function contradictions(given: Environment, wrong: ReadonlySet<string>): Problem[] {
  if (wrong.has('LOBBY_MODE')) return [];
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name)));
  return refusals(anyOf.parse(rest), given)
    .filter(({ name }) => !wrong.has(name))
    .map((problem) => ({ ...problem, example: problem.example || exampleFor(problem.name) }));
}

function wrongValues(error: z.ZodError, given: Environment): Problem[] {
  const first = new Map<string, string>();
  for (const issue of error.issues) {
    const name = String(issue.path[0]);
    if (!first.has(name)) first.set(name, issue.message);
  }
  return [...first].map(([name, why]) => ({
    name,
    why: `${why}${valueInWords(name, given)}`,
    example: exampleFor(name),
  }));
}

function valueInWords(name: string, given: Environment): string {
  if (documentation(name as SettingName).secret) return '';
  return `; it is ${JSON.stringify(given[name])}`;
}

function describe(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? 'One setting is wrong' : `${problems.length} settings are wrong`;
  const lines = problems.map(({ name, why, example }) => `  ${name} ${why}.\n    Example: ${example}`);
  return `Lobby cannot start. ${count}:\n${lines.join('\n')}\nThe README lists every setting.`;
}

function exampleFor(name: string): string {
  if (!isSetting(name)) return '';
  const { example } = documentation(name);
  return isPhrase(example) ? `${name}=<${example.replaceAll('`', '')}>` : `${name}=${example}`;
}

function exampleInWords({ example }: SettingDoc): string {
  return isPhrase(example) ? example : `\`${example}\``;
}

/** Examples of secrets are described, not given: a value that can be copied would be. */
function isPhrase(example: string): boolean {
  return example.includes(' ');
}

function defaultInWords(schema: z.ZodType, doc: SettingDoc): string {
  if (schema instanceof z.ZodPrefault && schema.def.defaultValue !== '') return `\`${schema.def.defaultValue}\``;
  return doc.otherwise ?? 'none';
}

function documentation(name: SettingName): SettingDoc {
  const doc = documented.get(environment.shape[name]);
  if (doc === undefined) throw new Error(`The setting ${name} has no documentation.`);
  return doc;
}

function warningsAbout(given: Environment): string[] {
  return Object.keys(given).flatMap((name) => {
    if (isSetting(name)) {
      const { later } = documentation(name);
      return later ? [`${name} is set, but this version does not use it: it comes with ${later}.`] : [];
    }
    const meant = nearestSetting(name);
    if (meant !== undefined) return [`${name} is not a setting of Lobby. Was ${meant} meant?`];
    return name.startsWith('LOBBY_') ? [`${name} is not a setting of Lobby.`] : [];
  });
}

/** What production must know this version does not do. */
function shortcomings(settings: Settings): string[] {
  if (settings.LOBBY_MODE === 'demo') return [];
  return ['This version has no staff desk: who asks for a person is recorded, and nobody can answer in Lobby.'];
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(environment.shape, name);
}

/** The setting that a name misses by a letter or two. Short names are left alone: HOME is not a slip for HOST. */
function nearestSetting(name: string): string | undefined {
  return Object.keys(environment.shape).find(
    (ours) => ours.length >= 7 && slips(name.toUpperCase(), ours) <= (ours.length < 10 ? 1 : 2),
  );
}

/** How many letters must change to make one word the other (Levenshtein). */
function slips(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}

function withoutBlanks(env: Readonly<Record<string, string | undefined>>): Environment {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()] as const] : [])),
  );
}
