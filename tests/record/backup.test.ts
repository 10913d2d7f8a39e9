/** The whole record out of one database and into another: as it stood at one moment, whole or not at all. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { v4 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { inCopyTransaction } from '../../adapters/postgres/copy.ts';
import {
  checkBackup,
  copyRecord,
  keepServiceOut,
  type Loaded,
  type Loading,
  loadRecord,
  refuseWithoutRecord,
} from '../../record/backup.ts';
import { beginThread, commitTurn } from '../../record/conversations.ts';
import { type Migration, migrate, readMigrations } from '../../record/database.ts';
import { beat } from '../../record/instances.ts';
import type { Database } from '../../record/types.ts';
import { emptyDatabase, type ScratchDatabase, scratchDatabase } from '../support/database.ts';

const known = await readMigrations(fileURLToPath(new URL('../../record/migrations', import.meta.url)));
const quiet = (): void => {};

function copying<Result>(
  scratch: ScratchDatabase,
  mode: 'read' | 'write',
  work: Parameters<typeof inCopyTransaction<Result>>[1],
): Promise<Result> {
  return inCopyTransaction({ connectionString: scratch.connectionString, applicationName: 'test', mode }, work);
}

function takeBackup(from: ScratchDatabase, between: () => Promise<void> = async () => {}): Promise<Buffer> {
  return copying(from, 'read', async (record) => {
    const chunks: Buffer[] = [];
    for await (const chunk of copyRecord(record, quiet)) {
      chunks.push(chunk);
      await between();
    }
    return Buffer.concat(chunks);
  });
}

function load(into: ScratchDatabase, backup: Buffer, parts: Partial<Loading> = {}): Promise<Loaded> {
  return copying(into, 'write', (database) =>
    loadRecord(database, inPieces(backup), { migrations: known, stale: false, progress: quiet, ...parts }),
  );
}

/** As a file is read: in pieces that know nothing of lines. */
async function* inPieces(bytes: Buffer, size = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const withoutTime = (backup: Buffer): string => backup.toString().replace(/"takenAt":"[^"]+"/, '');

const tablesOf = (database: Database): Promise<{ name: string }[]> =>
  database.query(`select tablename as name from pg_tables where schemaname = 'public' order by 1`);

async function begin(database: Database): Promise<string> {
  const conversationId = randomBytes(17).toString('base64url').slice(0, 22);
  const thread = { conversationId, channel: 'azure', threadKey: conversationId };
  await beginThread(database, { ...thread, account: 'test', externalId: conversationId });
  return conversationId;
}

async function say(database: Database, conversationId: string, turn: number, texts: readonly string[]): Promise<void> {
  const [first = '', ...replies] = texts;
  const { outcome } = await commitTurn(
    database,
    {
      conversationId,
      seen: turn,
      epoch: 0,
      key: `az:${conversationId}:${turn}`,
      cause: { direction: 'in', speaker: 'customer', body: { type: 'message', text: first } },
      replies: replies.map((text) => ({ speaker: 'bot', body: { type: 'message', text } })),
      state: { turn },
      effects: [],
      outbox: { channel: 'azure', route: 'sealed', class: 'once' },
      timersSet: [{ id: newId(), kind: 'idle', subject: newId(), dueInMs: 60_000, payload: {} }],
    },
    'Asia/Shanghai',
  );
  expect(outcome).toBe('ok');
}

/** Texts that look like the marks of the copy text, or break what is read by lines. */
const AWKWARD = [
  '\\.',
  '\\.\n',
  '\n\\.\n',
  'tab\there',
  'back\\slash',
  '\\N',
  'CR\r\nLF',
  '𠮷🏦',
  '',
  '"quoted"',
  '-- {"end":18}',
];

let from: ScratchDatabase;
let into: ScratchDatabase;

beforeAll(async () => {
  from = await scratchDatabase();
  const { database } = from;
  const conversationId = await begin(database);
  await say(database, conversationId, 0, AWKWARD);
  await database.query(`insert into customer (id, name, flags) values ($1, $2, $3), ($4, null, '{}')`, [
    newId(),
    AWKWARD.join('|'),
    AWKWARD,
    newId(),
  ]);
  await database.query(
    'update customer set merged_into = (select id from customer where name is not null) where name is null',
  );
  await database.query(
    `insert into consent (conversation_id, purpose, action, text_version, language, channel, at)
     select $1, 'p' || n, 'told', '1', 'zh', 'azure', timestamptz '2026-11-23 10:00:00.123456+08' from generate_series(1, 7) n`,
    [conversationId],
  );
  await database.query('delete from consent where id = 7');
  await database.query(
    `insert into upload (id, conversation_id, seq, name, content_type, bytes) values ($1, $2, 1, 'a.png', 'image/png', $3)`,
    ['u'.repeat(22), conversationId, randomBytes(3_000_000)],
  );
  await database.query(`insert into fact (key, value, at) values ('demo', 'yinghu', 'infinity')`);
  await database.query(
    `insert into wrapped_key (purpose, key_id, wrapped) values ('thread-index', 'abcdefgh', 'sealed')`,
  );
});
beforeEach(async () => {
  into = await emptyDatabase();
  const mine = into;
  onTestFinished(() => mine.drop());
});
afterAll(() => from.drop());

describe('a backup', () => {
  it('says of itself when it was taken, by which migrations, and whether it is a demo', async () => {
    const before = Date.now();
    const header = await checkBackup(inPieces(await takeBackup(from)), quiet);
    expect(header).toMatchObject({ demo: true, keyId: 'abcdefgh', sequences: [{ name: 'consent_id_seq', last: 7 }] });
    expect(header.migrations.map(({ name }) => name)).toEqual(known.map(({ name }) => name));
    expect(Date.parse(header.takenAt)).toBeGreaterThanOrEqual(before - 1);
    expect(header.tables.map(({ name }) => name)).not.toContain('instance');
  });

  it('fills an empty database with exactly the same rows', async () => {
    const backup = await takeBackup(from);
    await load(into, backup);
    expect(withoutTime(await takeBackup(into))).toBe(withoutTime(backup));
    const texts = await into.database.query<{ text: string }>(
      `select body->>'text' as text from activity order by seq`,
    );
    expect(texts.map(({ text }) => text)).toEqual(AWKWARD);
    expect(await into.database.query('select size from upload')).toEqual([{ size: 3_000_000 }]);
  });

  it('fills a database whose tables were made and never used', async () => {
    await migrate(into.database, known.slice(0, 4));
    await load(into, await takeBackup(from));
    expect(await into.database.query('select count(*) as n from customer')).toEqual([{ n: 2 }]);
  });

  it('leaves numbering where it was: no number is given a second time', async () => {
    await load(into, await takeBackup(from));
    const [row] = await into.database.query<{ id: number }>(
      `insert into consent (purpose, action, text_version, language, channel) values ('p', 'told', '1', 'zh', 'azure') returning id`,
    );
    expect(row?.id).toBe(8);
  });

  it('leaves the service its rights and no others', async () => {
    await load(into, await takeBackup(from));
    const app = await into.open({ role: 'lobby_app' });
    expect(await app.query('select count(*) as n from activity')).toEqual([{ n: AWKWARD.length }]);
    await expect(app.query('delete from activity')).rejects.toMatchObject({ code: '42501' });
  });

  it('keeps what the channel could not be told: a message that was waiting is sent again only if it must arrive', async () => {
    const { database } = from;
    const ids = await database.query<{ id: string }>('select id from outbox order by seq_from limit 4');
    const [must, leased, held, done] = ids.map(({ id }) => id);
    await database.query(`update outbox set class = 'must' where id = $1`, [must]);
    await database.query(`update outbox set state = 'leased', lease_token = gen_random_uuid() where id = $1`, [leased]);
    await database.query(`update outbox set state = 'held' where id = $1`, [held]);
    await database.query(`update outbox set state = 'done' where id = $1`, [done]);
    const backup = await takeBackup(from);
    await load(into, backup, { stale: true });
    const states = await into.database.query('select id, state, errcode from outbox where id = any($1)', [
      ids.map(({ id }) => id),
    ]);
    expect(states).toHaveLength(4);
    expect(states).toEqual(
      expect.arrayContaining([
        { id: must, state: 'ready', errcode: null },
        { id: leased, state: 'unknown', errcode: 'restored' },
        { id: held, state: 'unknown', errcode: 'restored' },
        { id: done, state: 'done', errcode: null },
      ]),
    );
  });

  it('leaves out a table that no migration makes, and says which', async () => {
    await from.database.query('create table of_the_bank (id int primary key); insert into of_the_bank values (1)');
    onTestFinished(() => from.database.query('drop table of_the_bank').then(quiet));
    expect((await load(into, await takeBackup(from))).leftOut).toEqual(['of_the_bank']);
    expect(await tablesOf(into.database)).not.toContainEqual({ name: 'of_the_bank' });
  });

  it('is of one moment, however much is written while it is taken', async () => {
    const busy = await scratchDatabase();
    onTestFinished(() => busy.drop());
    const conversations = await Promise.all(Array.from({ length: 4 }, () => begin(busy.database)));
    let writing = true;
    let turns = 0;
    const writers = conversations.map(async (conversationId) => {
      for (let turn = 0; writing; turn += 1, turns += 1)
        await say(busy.database, conversationId, turn, ['question', 'answer', 'more']);
    });
    await expect.poll(() => turns).toBeGreaterThan(20);
    const before = turns;
    // The tables are read one after another, with turns between them.
    const backup = await takeBackup(busy, () => pause(20));
    const after = turns;
    writing = false;
    await Promise.all(writers);
    await load(into, backup);
    const audit = await into.database.query<{ whole: boolean; turns: number; sends: number }>(
      `select c.seq = count(*) and c.seq = max(a.seq) and min(a.seq) = 1 and c.ver = count(distinct a.turn) and (c.state->>'turn')::int = c.ver - 1 as whole,
              c.ver as turns, (select count(*) from outbox o where o.conversation_id = c.id) as sends
         from conversation c join activity a on a.conversation_id = c.id group by c.id`,
    );
    expect(audit).toHaveLength(4);
    for (const { whole, turns: kept, sends } of audit)
      expect({ whole, sends }).toEqual({ whole: true, sends: 2 * kept });
    const kept = audit.reduce((sum, row) => sum + row.turns, 0);
    expect(kept).toBeGreaterThanOrEqual(before);
    expect(after - before).toBeGreaterThan(20);
    expect(kept).toBeLessThan(after);
  });

  it('can be taken of every table there is: each has a key, and none refer to each other in a circle', async () => {
    const keyless = await from.database.query(
      `select relname from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace
          and not exists (select from pg_constraint p where p.conrelid = c.oid and p.contype = 'p')`,
    );
    expect(keyless).toEqual([]);
    await expect(takeBackup(from)).resolves.toBeInstanceOf(Buffer);
  });

  it('is refused of a database without a record', async () => {
    await expect(copying(into, 'read', refuseWithoutRecord)).rejects.toMatchObject({ code: 'database_not_lobby' });
    await expect(copying(into, 'read', keepServiceOut)).rejects.toMatchObject({ code: 'database_not_lobby' });
  });
});

describe('a database to fill', () => {
  const unchanged = async (work: Promise<unknown>, code: string, says: RegExp): Promise<void> => {
    const before = await tablesOf(into.database);
    await expect(work).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    expect(await tablesOf(into.database)).toEqual(before);
  };

  it('that holds a row of a record is refused', async () => {
    await migrate(into.database, known);
    await into.database.query(`insert into fact (key, value) values ('a', 'b')`);
    await unchanged(load(into, await takeBackup(from)), 'database_not_empty', /it has rows in fact/);
    expect(await into.database.query('select key from fact')).toEqual([{ key: 'a' }]);
  });

  it('that holds tables of something else is refused', async () => {
    await into.database.query('create table orders (id int)');
    await unchanged(load(into, await takeBackup(from)), 'database_not_empty', /tables of something else/);
  });

  it('on which a Lobby runs is refused', async () => {
    await migrate(into.database, known);
    await beat(into.database, newId());
    await unchanged(load(into, await takeBackup(from)), 'service_running', /Lobby is running/);
  });

  it('that is newer than the backup is refused', async () => {
    const backup = await takeBackup(from);
    const later: Migration = { name: '9999_later', sql: 'create table later (id int)' };
    await migrate(into.database, [...known, later]);
    await unchanged(load(into, backup, { migrations: [...known, later] }), 'database_not_empty', /9999_later/);
  });

  it('is filled by one of two restores at once', async () => {
    const backup = await takeBackup(from);
    const outcomes = await Promise.allSettled([load(into, backup), load(into, backup)]);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toEqual([{ status: 'rejected', reason: expect.objectContaining({ code: 'database_not_empty' }) }]);
    expect(withoutTime(await takeBackup(into))).toBe(withoutTime(backup));
  });

  it('that does not give back what it was given is left empty', async () => {
    const changing: Migration[] = [
      ...known,
      {
        name: '9999_changing',
        sql: `create function change() returns trigger language plpgsql as $$ begin new.value := new.value || '!'; return new; end $$;
              create trigger change before insert on fact for each row execute function change()`,
      },
    ];
    const own = await emptyDatabase();
    onTestFinished(() => own.drop());
    await migrate(own.database, changing);
    await own.database.query(`insert into fact (key, value) values ('a', 'b')`);
    await unchanged(load(into, await takeBackup(own), { migrations: changing }), 'database_differs', /rows of fact/);
  });

  it('is left empty when the last step fails', async () => {
    const broken: Migration = { name: '9999_broken', sql: 'select 1 / 0' };
    await unchanged(load(into, await takeBackup(from), { migrations: [...known, broken] }), '22012', /division/);
  });
});

describe('a backup of another version', () => {
  it('is brought up to date when it is older, with what later migrations change', async () => {
    const later: Migration = {
      name: '9999_later',
      sql: `alter table customer add column remark text; update customer set remark = 'was ' || status`,
    };
    const { leftOut } = await load(into, await takeBackup(from), { migrations: [...known, later] });
    expect(leftOut).toEqual([]);
    expect(await into.database.query('select distinct remark from customer')).toEqual([{ remark: 'was active' }]);
  });

  it('keeps what became of rows that a migration itself puts there', async () => {
    const own = await emptyDatabase();
    onTestFinished(() => own.drop());
    const seeding: Migration[] = [
      ...known,
      {
        name: '9999_seed',
        sql: `create table policy (key text primary key, value int); insert into policy values ('a', 1), ('b', 2)`,
      },
    ];
    await migrate(own.database, seeding);
    await own.database.query(`update policy set value = 10 where key = 'a'; delete from policy where key = 'b'`);
    await load(into, await takeBackup(own), { migrations: seeding });
    expect(await into.database.query('select * from policy')).toEqual([{ key: 'a', value: 10 }]);
  });

  it('is refused when a newer Lobby took it', async () => {
    const older = known.slice(0, -1);
    await expect(load(into, await takeBackup(from), { migrations: older })).rejects.toMatchObject({
      code: 'backup_newer',
      message: expect.stringContaining(known.at(-1)?.name ?? ''),
    });
    const format2 = Buffer.from((await takeBackup(from)).toString('latin1').replace('backup 1', 'backup 2'), 'latin1');
    await expect(checkBackup(inPieces(format2), quiet)).rejects.toMatchObject({ code: 'backup_newer' });
  });

  it('is refused when a migration was edited since', async () => {
    const edited = known.map((each, place) => (place === 1 ? { ...each, sql: `${each.sql}\n-- edited` } : each));
    await expect(load(into, await takeBackup(from), { migrations: edited })).rejects.toMatchObject({
      code: 'backup_schema',
    });
  });

  it('is refused when its tables are not those its migrations make', async () => {
    await from.database.query('alter table fact add column extra text');
    onTestFinished(() => from.database.query('alter table fact drop column extra').then(quiet));
    await expect(load(into, await takeBackup(from))).rejects.toMatchObject({ code: 'backup_schema' });
    expect(await tablesOf(into.database)).toEqual([]);
  });
});

describe('a damaged backup', () => {
  let small: Buffer;

  beforeAll(async () => {
    const own = await scratchDatabase();
    const conversationId = await begin(own.database);
    await say(own.database, conversationId, 0, AWKWARD);
    small = await takeBackup(own);
    await own.drop();
  });

  it('reads the same in whatever pieces it comes', async () => {
    const header = await checkBackup(inPieces(small, small.length), quiet);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (size) => {
        const rows: number[] = [];
        expect(await checkBackup(inPieces(small, size), (_, count) => rows.push(count))).toEqual(header);
        expect(rows).toHaveLength(header.tables.length);
        expect(rows.reduce((sum, count) => sum + count)).toBeGreaterThan(AWKWARD.length);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: small.length - 1 }), async (length) => {
        await expect(checkBackup(inPieces(small.subarray(0, length)), quiet)).rejects.toMatchObject({
          code: expect.stringMatching(/^backup_(damaged|foreign)$/),
        });
      }),
      { numRuns: 200 },
    );
  });

  it('is refused wherever a row differs by one bit', async () => {
    const rows = small.indexOf('from stdin;\n', small.indexOf('copy "activity"')) + 12;
    const end = small.indexOf('\n\\.\n', rows);
    expect(end - rows).toBeGreaterThan(500);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: rows, max: end }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const wrong = Buffer.from(small);
        wrong[at] = (wrong[at] ?? 0) ^ (1 << bit);
        await expect(checkBackup(inPieces(wrong), quiet)).rejects.toMatchObject({ code: 'backup_damaged' });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a row that is missing', (text: string) => text.replace(/(copy "activity"[^\n]*\n)[^\n]*\n/, '$1')],
    ['a table that is missing', (text: string) => text.replace(/copy "fact"[\s\S]*?\n\\\.\n[^\n]*\n/, '')],
    ['something after its end', (text: string) => `${text}more`],
    ['a description that is no JSON', (text: string) => text.replace('"takenAt"', 'takenAt')],
    ['a description without the tables', (text: string) => text.replace('"tables"', '"others"')],
  ])('is refused with %s', async (_, spoil) => {
    const wrong = Buffer.from(spoil(small.toString()));
    expect(wrong.equals(small)).toBe(false);
    await expect(load(into, wrong)).rejects.toMatchObject({ code: 'backup_damaged' });
    expect(await tablesOf(into.database)).toEqual([]);
  });

  it.each([
    ['an empty file', ''],
    ['another script', 'select 1;\n'],
    ['something long without lines', '\0'.repeat(2_000_000)],
  ])('is told from %s', async (_, text) => {
    const read = checkBackup(inPieces(Buffer.from(text), 65_536), quiet);
    await expect(read).rejects.toMatchObject({ code: 'backup_foreign' });
  });
});

describe('moving away', () => {
  it('is refused while a Lobby beats, and goes on when it has left', async () => {
    const own = await scratchDatabase();
    onTestFinished(() => own.drop());
    await beat(own.database, newId());
    await expect(copying(own, 'read', keepServiceOut)).rejects.toMatchObject({ code: 'service_running' });
    await own.database.query(`update instance set seen_at = now() - interval '31 seconds'`);
    await expect(copying(own, 'read', keepServiceOut)).resolves.toBeUndefined();
  });

  it('lets no Lobby begin meanwhile, and misses nothing that was written before', async () => {
    const own = await scratchDatabase();
    onTestFinished(() => own.drop());
    const starting = await own.open({ lockTimeoutMs: 200 });
    await copying(own, 'read', async (record) => {
      await keepServiceOut(record);
      await expect(beat(starting, newId())).rejects.toMatchObject({ code: 'database_timeout' });
    });
    await expect(beat(starting, newId())).resolves.toBe(1);
  });
});
