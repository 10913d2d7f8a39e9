import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, settingsTable } from '../../bot/config.ts';

const dataKey = Buffer.alloc(32, 7).toString('base64');
const aSecret = 'a'.repeat(40);

/** The least a bank must set to run Lobby as its own service. */
const bank = { LOBBY_MODE: 'production', DATA_KEY: dataKey, MICROSOFT_APP_TYPE: 'None' };
const azureApp = {
  MICROSOFT_APP_ID: '11111111-2222-4333-8444-555555555555',
  MICROSOFT_APP_PASSWORD: 'a client secret',
};

function problemsOf(env: Record<string, string>) {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function namesOf(env: Record<string, string>) {
  return problemsOf(env).map(({ name }) => name);
}

describe('with nothing set', () => {
  it('Lobby runs as the demo bank on this machine, port 3978, with a private database', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      mode: 'demo',
      http: { host: '127.0.0.1', port: 3978, publicUrl: undefined, trustedProxies: [], metricsPort: undefined },
      logLevel: 'info',
      bank: { timeZone: 'Asia/Shanghai' },
      storage: { databaseUrl: undefined, dataKey: undefined },
      chat: { origins: [], uploads: true },
      botFramework: { access: 'open' },
      warnings: [],
    });
    expect(isAbsolute(config.storage.dataDir)).toBe(true);
  });

  it('a variable that is empty or blank counts as absent', () => {
    expect(readConfig({ PORT: '', HOST: '  ', DATA_KEY: '' })).toEqual(readConfig({}));
  });
});

describe('well-formed values', () => {
  it('arrive typed and grouped', () => {
    const config = readConfig({
      ...bank,
      ...azureApp,
      MICROSOFT_APP_TYPE: 'SingleTenant',
      MICROSOFT_APP_TENANT_ID: '11111111-2222-4333-8444-666666666666',
      PORT: '0',
      HOST: '::',
      PUBLIC_URL: 'https://lobby.bank.example/',
      TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7,2001:db8::/32',
      METRICS_PORT: '9464',
      CHAT_ORIGINS: 'https://www.bank.example, https://m.bank.example:8443',
      DATABASE_URL: 'postgresql://lobby@127.0.0.1/lobby',
      RATE_POSTS_PER_MINUTE: '120',
    });
    expect(config.http).toEqual({
      host: '::',
      port: 0,
      publicUrl: 'https://lobby.bank.example',
      trustedProxies: ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'],
      metricsPort: 9464,
    });
    expect(config.chat.origins).toEqual(['https://www.bank.example', 'https://m.bank.example:8443']);
    expect(Buffer.from(config.storage.dataKey ?? [])).toEqual(Buffer.alloc(32, 7));
    expect(config.rates.postsPerConversation).toBe(120);
    expect(config.botFramework).toEqual({
      access: 'verified',
      type: 'SingleTenant',
      appId: azureApp.MICROSOFT_APP_ID,
      appPassword: azureApp.MICROSOFT_APP_PASSWORD,
      tenantId: '11111111-2222-4333-8444-666666666666',
    });
  });

  it('uploads are on in the demo, off in production, and either can be said', () => {
    expect(readConfig({}).chat.uploads).toBe(true);
    expect(readConfig({ CHAT_UPLOADS: 'off' }).chat.uploads).toBe(false);
    expect(readConfig(bank).chat.uploads).toBe(false);
    expect(readConfig({ ...bank, CHAT_UPLOADS: 'on' }).chat.uploads).toBe(true);
  });
});

describe('a wrong value stops the start', () => {
  it.each([
    ['LOBBY_MODE', 'prod'],
    ['HOST', 'http://127.0.0.1'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80a'],
    ['PORT', '3978.5'],
    ['PUBLIC_URL', 'lobby.bank.example'],
    ['PUBLIC_URL', 'https://bank.example/lobby'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['TRUSTED_PROXIES', 'proxy.bank.example'],
    ['METRICS_PORT', 'yes'],
    ['LOG_LEVEL', 'verbose'],
    ['BANK_TIME_ZONE', 'Asia/Shangai'],
    ['BANK_TIME_ZONE', '+08:00'],
    ['DATABASE_URL', 'mysql://db/lobby'],
    ['DATABASE_URL', 'localhost:5432'],
    ['DATA_KEY', 'not base64!'],
    ['DATA_KEY', Buffer.alloc(31).toString('base64')],
    ['REDIS_URL', 'http://redis'],
    ['CHAT_ORIGINS', 'https://bank.example/'],
    ['CHAT_ORIGINS', 'bank.example'],
    ['CHAT_UPLOADS', 'true'],
    ['DIRECT_LINE_SECRET', 'short'],
    ['BANK_TOKEN_KEY', 'short'],
    ['RATE_TOKENS_PER_MINUTE', '0'],
    ['RATE_TOKENS_PER_MINUTE', '1e3'],
    ['RATE_CONVERSATIONS_PER_MINUTE', '-5'],
    ['RATE_POSTS_PER_MINUTE', 'many'],
    ['RATE_UPLOADS_PER_MINUTE', '1.5'],
    ['MICROSOFT_APP_TYPE', 'Multitenant'],
    ['MICROSOFT_APP_ID', 'lobby'],
    ['MICROSOFT_APP_TENANT_ID', 'bank'],
    ['WECHAT_APP_ID', 'gh_0123456789ab'],
    ['WECHAT_ENCODING_AES_KEY', 'a'.repeat(44)],
    ['WECHAT_API_BASE', 'ftp://api.weixin.qq.com'],
    ['CLU_ENDPOINT', 'http://bank.cognitiveservices.azure.com'],
    ['CLU_DATA_EXPORT', 'yes'],
    ['OIDC_ISSUER', 'login'],
    ['CORE_BANK_URL', 'core'],
  ])('%s=%s', (name, value) => {
    const [problem, ...others] = problemsOf({ [name]: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      name,
      why: expect.stringMatching(/^must /),
      example: expect.stringContaining(name),
    });
  });

  it('all problems are told at once, each with its name, the reason and an example, and the exit code is 78', () => {
    const wrong = { PORT: 'abc', BANK_TIME_ZONE: 'Mars/Base', HOST: '0.0.0.0', DATA_KEY: 'short' };
    expect(namesOf(wrong)).toEqual(['PORT', 'BANK_TIME_ZONE', 'DATA_KEY', 'HOST']);
    expect(() => readConfig(wrong)).toThrow(
      expect.objectContaining({
        code: 'config_wrong',
        exitCode: 78,
        message: expect.stringContaining(
          '  PORT must be a port: a whole number from 0 to 65535; it is "abc".\n    Example: PORT=8080\n',
        ),
      }),
    );
  });

  it('a wrong secret is named, its value never repeated', () => {
    for (const name of ['DATA_KEY', 'DIRECT_LINE_SECRET', 'DATABASE_URL', 'WECHAT_TOKEN']) {
      const [problem] = problemsOf({ [name]: 'p4ss!word' });
      expect(problem?.name).toBe(name);
      expect(JSON.stringify(problem)).not.toContain('p4ss');
    }
  });

  it('an unknown mode is the only complaint, for no rule of a mode can be applied', () => {
    expect(namesOf({ LOBBY_MODE: 'prod', HOST: '0.0.0.0' })).toEqual(['LOBBY_MODE']);
  });
});

describe('demo mode', () => {
  it.each(['0.0.0.0', '::', '192.168.1.20', 'lobby.bank.example'])('refuses to listen on %s', (host) => {
    expect(problemsOf({ HOST: host })).toEqual([
      { name: 'HOST', why: expect.stringContaining('this machine only'), example: 'HOST=127.0.0.1' },
    ]);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('listens on %s', (host) => {
    expect(readConfig({ HOST: host }).http.host).toBe(host);
  });

  it('refuses the secrets of real channels', () => {
    expect(namesOf(azureApp)).toEqual(['MICROSOFT_APP_PASSWORD']);
    expect(namesOf({ WECHAT_APP_SECRET: 'a'.repeat(32) })).toEqual(['WECHAT_APP_SECRET']);
  });

  it('takes a secret made up for a WeChat simulator on this machine', () => {
    expect(namesOf({ WECHAT_APP_SECRET: 'a'.repeat(32), WECHAT_API_BASE: 'http://127.0.0.1:4010' })).toEqual([]);
  });
});

describe('production mode', () => {
  it('starts with a data key and a closed /api/messages', () => {
    expect(readConfig(bank)).toMatchObject({ mode: 'production', botFramework: { access: 'closed' } });
  });

  it('says what this version cannot do yet', () => {
    expect(readConfig(bank).warnings).toEqual([expect.stringContaining('no staff desk')]);
  });

  it('refuses a missing data key', () => {
    const { DATA_KEY: _, ...keyless } = bank;
    expect(namesOf(keyless)).toEqual(['DATA_KEY']);
  });

  it('refuses an open /api/messages', () => {
    const { MICROSOFT_APP_TYPE: _, ...open } = bank;
    expect(problemsOf(open)).toEqual([
      { name: 'MICROSOFT_APP_ID', why: expect.stringContaining('/api/messages'), example: 'MICROSOFT_APP_TYPE=None' },
    ]);
  });

  it.each([
    ['PUBLIC_URL', 'http://lobby.bank.example'],
    ['CHAT_ORIGINS', 'https://bank.example,*'],
    ['DATABASE_URL', 'postgres://lobby:x@db.bank.example/lobby'],
    ['DATABASE_URL', 'postgres://lobby:x@db.bank.example/lobby?sslmode=prefer'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['DIRECT_LINE_SECRET', dataKey],
  ])('refuses %s=%s', (name, value) => {
    expect(namesOf({ ...bank, [name]: value })).toEqual([name]);
  });

  it.each([
    'postgres://lobby:x@db.bank.example/lobby?sslmode=verify-full',
    'postgres://lobby:x@localhost/lobby',
    'postgres:///lobby?host=/var/run/postgresql',
    'postgres:///lobby',
  ])('takes %s', (url) => {
    expect(readConfig({ ...bank, DATABASE_URL: url }).storage.databaseUrl).toBe(url);
  });

  it('keeps two keys that differ apart', () => {
    expect(namesOf({ ...bank, DIRECT_LINE_SECRET: aSecret, BANK_TOKEN_KEY: `${aSecret}b` })).toEqual([]);
    expect(namesOf({ ...bank, DIRECT_LINE_SECRET: aSecret, BANK_TOKEN_KEY: aSecret })).toEqual(['BANK_TOKEN_KEY']);
  });
});

describe('Microsoft’s channels', () => {
  const { MICROSOFT_APP_TYPE: _, ...own } = bank;

  it.each([
    ['an app without its secret', { MICROSOFT_APP_ID: azureApp.MICROSOFT_APP_ID }, 'MICROSOFT_APP_PASSWORD'],
    ['a secret without an app', { MICROSOFT_APP_PASSWORD: 'x', MICROSOFT_APP_TYPE: 'None' }, 'MICROSOFT_APP_ID'],
    [
      'a single-tenant app without tenant',
      { ...azureApp, MICROSOFT_APP_TYPE: 'SingleTenant' },
      'MICROSOFT_APP_TENANT_ID',
    ],
    ['an app and a closed address', { ...azureApp, MICROSOFT_APP_TYPE: 'None' }, 'MICROSOFT_APP_TYPE'],
  ])('%s is refused', (_case, settings, name) => {
    expect(namesOf({ ...own, ...settings })).toEqual([name]);
  });

  it('a managed identity needs a tenant and no secret', () => {
    const managed = { MICROSOFT_APP_ID: azureApp.MICROSOFT_APP_ID, MICROSOFT_APP_TYPE: 'UserAssignedMSI' };
    expect(namesOf({ ...own, ...managed })).toEqual(['MICROSOFT_APP_TENANT_ID']);
    expect(namesOf({ ...own, ...managed, MICROSOFT_APP_TENANT_ID: azureApp.MICROSOFT_APP_ID })).toEqual([]);
  });
});

describe('the operator is warned', () => {
  it.each([
    ['DATABASE_URI', 'Was DATABASE_URL meant?'],
    ['LOBY_MODE', 'Was LOBBY_MODE meant?'],
    ['data_key', 'Was DATA_KEY meant?'],
    ['RATE_POST_PER_MINUTE', 'Was RATE_POSTS_PER_MINUTE meant?'],
    ['LOBBY_COLOUR', 'LOBBY_COLOUR is not a setting of Lobby.'],
  ])('of %s', (name, sentence) => {
    expect(readConfig({ [name]: 'x' }).warnings).toEqual([expect.stringContaining(sentence)]);
  });

  it('of a setting that this version does not use', () => {
    expect(readConfig({ CORE_BANK_URL: 'https://core.bank.example' }).warnings).toEqual([
      'CORE_BANK_URL is set, but this version does not use it: it comes with the core bank.',
    ]);
  });

  it('of nothing that belongs to others', () => {
    const theirs = { HOME: '/root', HOSTNAME: 'a', POST: 'x', PATH: '/bin', REPORT: 'x', PGHOST: 'db', CI: 'true' };
    expect(readConfig(theirs).warnings).toEqual([]);
  });
});

describe('the README', () => {
  it('has exactly the table of settings that the schema gives', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, table] = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme) ?? [];
    expect(table, 'Run: npx tsx scripts/settings-table.ts').toBe(settingsTable());
  });
});
