/** What a bank does with its record: backs it up while customers write, loses a machine, restores, and moves to a PostgreSQL of its own. */

import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { v4 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type App, createApp } from '../../bot/app.ts';
import { readConfig } from '../../bot/config.ts';
import { type Ended, run, scratchFolder, start } from '../bot/commands/run.ts';
import { type BankPostgres, startBankPostgres } from '../support/bank-postgres.ts';
import { emptyDatabase, type ScratchDatabase, scratchDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { call, postJson } from '../support/web-channel.ts';

type Settings = Readonly<Record<string, string>>;

/** As `npm run <name> -- <words>`, from the build. */
const npmRun = (words: readonly string[], env: Settings): Promise<Ended> => start(words, env, { built: true }).ended;

async function serve(env: Settings): Promise<App> {
  const app = await createApp(readConfig({ PORT: '0', LOG_LEVEL: 'silent', RATE_POSTS_PER_MINUTE: '100000', ...env }), {
    log: silentLog,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= app.close();
    return closed;
  };
  onTestFinished(close);
  return { ...app, close };
}

interface Talk {
  readonly conversationId: string;
  readonly token: string;
  readonly visitor: string;
  readonly userId: string;
}

const address = (app: App, path: string): string => `${app.address}${path}`;

async function beginTalk(app: App): Promise<Talk> {
  const { body } = await postJson(address(app, '/api/chat/token'), null, {});
  expect((await postJson(address(app, '/v3/directline/conversations'), body.token, {})).status).toBe(201);
  return body;
}

async function say(app: App, { conversationId, token }: Talk, text: string): Promise<number> {
  const message = { type: 'message', text, channelData: { idempotencyKey: uuid() } };
  const { status } = await postJson(
    address(app, `/v3/directline/conversations/${conversationId}/activities`),
    token,
    message,
  );
  return status;
}

interface Read {
  readonly status: number;
  readonly said: readonly string[];
  readonly everything: readonly unknown[];
}

async function read(app: App, { conversationId, token }: Talk): Promise<Read> {
  const { status, body } = await call(address(app, `/v3/directline/conversations/${conversationId}/activities`), token);
  const activities = (body.activities ?? []) as { from: { id: string }; text?: string; id: string }[];
  const said = activities.filter(({ from }) => from.id.startsWith('dl_')).map(({ text = '' }) => text);
  return { status, said, everything: activities.map(({ id, text }) => ({ id, text })) };
}

/** The customer comes back as if nothing had been: the same token reads on, the same visitor is known, the talk goes on. */
async function expectToGoOn(app: App, talk: Talk, before: Read): Promise<void> {
  expect(await read(app, talk)).toEqual(before);
  expect(await say(app, talk, '我又来了')).toBe(200);
  expect((await read(app, talk)).said).toEqual([...before.said, '我又来了']);
  const { visitor, conversationId, userId } = talk;
  const back = await postJson(address(app, '/api/chat/token'), null, { visitor, conversationId });
  expect(back).toMatchObject({ status: 200, body: { userId, conversationId } });
}

/** A vacuum of the server's own may be at work there, and only its administrator may send it away. */
async function drop(...databases: readonly ScratchDatabase[]): Promise<void> {
  for (const database of databases) {
    for (let tries = 1; ; tries += 1) {
      const refusal = await database.drop().catch((error: { code?: string }) => error);
      if (!refusal) break;
      if (refusal.code !== '42501' || tries === 50) throw refusal;
      await pause(200);
    }
  }
}

/** Runs a command, and tells the most memory it ever had, in megabytes. */
async function memoryOf(words: readonly string[], env: Settings): Promise<number> {
  // A process begins with the peak of the one that started it, but for this count of its own pages.
  const tell = `import{readFileSync}from'node:fs';process.on('exit',()=>process.stderr.write(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status','utf8'))[1]))`;
  const { code, err } = await start(words, env, {
    built: true,
    node: ['--import', `data:text/javascript,${encodeURIComponent(tell)}`],
  }).ended;
  expect(code, err).toBe(0);
  return Number(err) / 1024;
}

/** Counts the conversations that lack a row, or have one too many. */
const whole = `select count(*)::int as wrong from (
    select from conversation c left join activity a on a.conversation_id = c.id
     group by c.id having c.seq <> count(a.seq) or c.seq <> coalesce(max(a.seq), 0) or c.ver <> count(distinct a.turn)) broken`;

let bankPostgres: BankPostgres | null;

beforeAll(async () => {
  bankPostgres = await startBankPostgres();
});
afterAll(() => bankPostgres?.stop());

describe('the record of a Lobby with its private PostgreSQL', () => {
  it('is backed up while customers write, and goes on from the backup elsewhere with the same key', async () => {
    const folder = await scratchFolder();
    const [old, fresh] = [join(folder, 'old'), join(folder, 'new')];
    const file = join(folder, 'backup.gz');
    const first = await serve({ DATA_DIR: old });
    const talk = await beginTalk(first);
    for (const text of ['你好', '跨行转账多久到账', '转人工']) expect(await say(first, talk, text)).toBe(200);
    const before = await read(first, talk);

    // Others write all the while.
    const others = await Promise.all([beginTalk(first), beginTalk(first), beginTalk(first)]);
    let writing = true;
    const writers = others.map(async (other) => {
      let said = 0;
      for (; writing; said += 1) expect(await say(first, other, `question ${said}`)).toBe(200);
      return said;
    });
    const backup = await npmRun(['backup', '--to', file], { DATA_DIR: old });
    writing = false;
    const said = await Promise.all(writers);
    expect(backup).toMatchObject({ code: 0, err: '' });
    expect(backup.out).toContain(`keep ${join(old, 'data.key')} (key `);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['backup.gz', 'old']);
    await first.close();

    const restored = await npmRun(['restore', '--from', file], { DATA_DIR: fresh });
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(restored.out).toMatch(
      /Restored [\d,]+ rows in \d+ tables, read back and compared\.\nBefore you start Lobby, set DATA_KEY/,
    );
    await copyFile(join(old, 'data.key'), join(fresh, 'data.key'));
    const second = await serve({ DATA_DIR: fresh });
    await expectToGoOn(second, talk, before);
    for (const [place, other] of others.entries()) {
      const { said: kept } = await read(second, other);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length).toBeLessThan(said[place] ?? 0);
      expect(kept).toEqual(kept.map((_, n) => `question ${n}`));
    }
    expect(await second.database.query(whole)).toEqual([{ wrong: 0 }]);
  });

  it('is moved to the bank’s own PostgreSQL, and Lobby goes on there', async (context) => {
    const bank = bankPostgres;
    const { url, password } = bank
      ? await bank.newDatabase()
      : context.skip('this machine has no other PostgreSQL (Debian: postgresql)');
    const folder = await scratchFolder();
    const env = { DATA_DIR: folder };
    const first = await serve(env);
    const talk = await beginTalk(first);
    expect(await say(first, talk, '你好')).toBe(200);
    const before = await read(first, talk);

    const tooEarly = await npmRun(['move', '--to', url], { ...env, PGPASSWORD: password });
    expect(tooEarly.code).toBe(1);
    expect(tooEarly.err).toMatch(/^Another Lobby \(lobby process \d+\) is using .*; stop it first/);
    await first.close();

    const moved = await npmRun(['move', '--to', url], { ...env, PGPASSWORD: password });
    expect(moved).toMatchObject({ code: 0, err: '' });
    expect(moved.out).toContain(`Now set DATABASE_URL to the PostgreSQL at ${new URL(url).host}/`);
    expect(moved.out).toMatch(/is in its place: .*data\.key\.\n$/);
    expect(moved.out).not.toContain(password);
    const full = url.replace('@', `:${password}@`);
    const second = await serve({ ...env, DATABASE_URL: full });
    await expectToGoOn(second, talk, before);

    const away = await npmRun(['move', '--to', full], { ...env });
    expect(away).toMatchObject({ code: 1, err: expect.stringMatching(/^Lobby is running on this database/) });
    const back = await npmRun(['move', '--to', full], { ...env, DATABASE_URL: full });
    expect(back).toMatchObject({ code: 1, err: expect.stringMatching(/^Lobby is running on this database/) });
    await second.close();
    const onto = await npmRun(['move', '--to', full], { ...env, DATABASE_URL: full });
    expect(onto).toMatchObject({ code: 1, err: expect.stringMatching(/^The database to fill is not empty/) });
  });
});

describe('a big record', () => {
  const ACTIVITIES = 120_000;
  let big: ScratchDatabase;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    big = await scratchDatabase();
    const owner = await big.open({ statementTimeoutMs: 0 });
    await owner.query(
      `insert into conversation (id, channel, thread_key, seq, ver) select rpad(c::text, 22, 'A'), 'web', c::text, 200, 100 from generate_series(1, $1::int / 200) c`,
      [ACTIVITIES],
    );
    await owner.query(
      `insert into activity (conversation_id, seq, turn, direction, speaker, epoch, body)
       select rpad(c::text, 22, 'A'), s, (s + 1) / 2, 'in', 'customer', 0,
              jsonb_build_object('type', 'message', 'text', repeat(md5(c::text || s::text), 54))
         from generate_series(1, $1::int / 200) c, generate_series(1, 200) s`,
      [ACTIVITIES],
    );
    folder = await mkdtemp(join(tmpdir(), 'lobby-big-'));
    file = join(folder, 'big.gz');
    expect((await run(['backup', '--to', file], { DATABASE_URL: big.connectionString })).code).toBe(0);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await drop(big);
  });

  it('is backed up and restored with no more memory than a small one', async () => {
    const folder = await scratchFolder();
    const [small, into, intoSmall] = await Promise.all([scratchDatabase(), emptyDatabase(), emptyDatabase()]);
    onTestFinished(() => drop(small, into, intoSmall));
    const smallFile = join(folder, 'small.gz');
    const little = await memoryOf(['backup', '--to', smallFile], { DATABASE_URL: small.connectionString });
    const much = await memoryOf(['backup', '--to', join(folder, 'big.gz')], { DATABASE_URL: big.connectionString });
    const littleBack = await memoryOf(['restore', '--from', smallFile], { DATABASE_URL: intoSmall.connectionString });
    const muchBack = await memoryOf(['restore', '--from', file], { DATABASE_URL: into.connectionString });
    const [size] = await big.database.query<{ bytes: number }>('select sum(length(body::text)) as bytes from activity');
    const megabytes = (size?.bytes ?? 0) / 1e6;
    console.log(
      `${ACTIVITIES} activities, ${megabytes.toFixed(0)} MB: backup ${much.toFixed(0)} MB of memory (${little.toFixed(0)} of an empty record), restore ${muchBack.toFixed(0)} (${littleBack.toFixed(0)})`,
    );
    expect(megabytes).toBeGreaterThan(200);
    expect(much - little).toBeLessThan(megabytes / 2);
    expect(muchBack - littleBack).toBeLessThan(megabytes / 2);
    expect(await into.database.query('select count(*) as n from activity')).toEqual([{ n: ACTIVITIES }]);
    expect(await into.database.query(whole)).toEqual([{ wrong: 0 }]);
  });

  it('is not half there when the restore is killed, and can be restored again', async () => {
    const into = await emptyDatabase();
    onTestFinished(() => drop(into));
    const restore = start(['restore', '--from', file], { DATABASE_URL: into.connectionString });
    const loaded = async (): Promise<number> => {
      const [row] = await into.database.query<{ n: number }>(
        `select max(tuples_processed) as n from pg_stat_progress_copy where datname = current_database() and command = 'COPY FROM'`,
      );
      return row?.n ?? 0;
    };
    await expect.poll(loaded, { interval: 5, timeout: 60_000 }).toBeGreaterThan(1_000);
    restore.process.kill('SIGKILL');
    expect((await restore.ended).code).toBeNull();
    expect(await into.database.query(`select tablename from pg_tables where schemaname = 'public'`)).toEqual([]);
    const again = await run(['restore', '--from', file], { DATABASE_URL: into.connectionString });
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(await into.database.query('select count(*) as n from activity')).toEqual([{ n: ACTIVITIES }]);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('never leaves half a backup under its name: %s', async (signal) => {
    const folder = await scratchFolder();
    const file = join(folder, 'backup.gz');
    const backup = start(['backup', '--to', file], { DATABASE_URL: big.connectionString });
    const half = async () => {
      const [name = ''] = (await readdir(folder)).filter((each) => each.startsWith('backup.gz.part-'));
      return (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
    };
    await expect.poll(half, { interval: 5, timeout: 60_000 }).toBeGreaterThan(100_000);
    backup.process.kill(signal);
    const { code, err } = await backup.ended;
    if (signal === 'SIGINT') expect([code, err]).toEqual([130, 'Interrupted; it was not done.\n']);
    const left = await readdir(folder);
    expect(left).not.toContain('backup.gz');
    expect(left).toHaveLength(signal === 'SIGINT' ? 0 : 1);
    // The next one clears up.
    expect((await run(['backup', '--to', file], { DATABASE_URL: big.connectionString })).code).toBe(0);
    expect(await readdir(folder)).toEqual(['backup.gz']);
  });
});

describe('a restore', () => {
  it('changes nothing for a file that is cut, altered, or something else', async () => {
    const folder = await scratchFolder();
    const data = join(folder, 'data');
    const small = await scratchDatabase();
    onTestFinished(() => small.drop());
    const good = join(folder, 'good.gz');
    expect((await run(['backup', '--to', good], { DATABASE_URL: small.connectionString })).code).toBe(0);
    const bytes = await readFile(good);
    const altered = Buffer.from(bytes);
    altered[bytes.length >> 1] = (altered[bytes.length >> 1] ?? 0) ^ 0xff;
    const wrong = [
      ['cut', bytes.subarray(0, bytes.length - 20)],
      ['altered', altered],
      ['other', Buffer.from('PGDMP')],
      ['empty', Buffer.alloc(0)],
    ] as const;
    for (const [name, content] of wrong) {
      await writeFile(join(folder, name), content);
      const { code, err } = await run(['restore', '--from', join(folder, name)], { DATA_DIR: data });
      expect([name, code]).toEqual([name, 1]);
      expect(err).toMatch(/^[^\n]*(cut short|damaged|not a backup)[^\n]*\n$/);
    }
    // Not even the private PostgreSQL was made.
    expect(await stat(data).catch(() => null)).toBeNull();
  });

  it('is refused beside a Lobby and over a record; elsewhere it shows the administrator what may have been sent since', async () => {
    const folder = await scratchFolder();
    const file = join(folder, 'backup.gz');
    const env = { DATA_DIR: join(folder, 'data') };
    const app = await serve(env);
    await beginTalk(app);
    await app.database.query(
      `insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class, due)
       select gen_random_uuid(), id, 1, 1, 'azure', 'sealed', 'once', now() + interval '1 day' from conversation`,
    );
    expect((await run(['backup', '--to', file], env)).code).toBe(0);
    const beside = await run(['restore', '--from', file], env);
    expect(beside).toMatchObject({ code: 1, err: expect.stringMatching(/^Another Lobby .* is using/) });
    await app.close();
    const over = await run(['restore', '--from', file], env);
    expect(over).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^The database to fill is not empty: it has rows in /),
    });
    const elsewhere = { DATA_DIR: join(folder, 'new') };
    expect((await run(['restore', '--from', file], elsewhere)).code).toBe(0);
    const { code, out } = await run(['outbox', 'list'], elsewhere);
    expect(code).toBe(0);
    expect(out).toMatch(/ unknown +azure +once +0 +restored /);
  });
});
