import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Migration, migrate, readMigrations } from '../../record/database.ts';
import { emptyDatabase, type ScratchDatabase, scratchDatabase } from '../support/database.ts';

const folder = fileURLToPath(new URL('../../record/migrations', import.meta.url));
const program = fileURLToPath(new URL('./migrate-process.ts', import.meta.url));

const names = (migrations: readonly Migration[]) => migrations.map((migration) => migration.name);
const first: Migration = { name: '0001_first', sql: 'create table first (id int); insert into first values (1)' };
const second: Migration = { name: '0002_second', sql: 'create table second (id int)' };

describe('migrating', () => {
  let scratch: ScratchDatabase;
  beforeEach(async () => {
    scratch = await emptyDatabase();
  });
  afterEach(() => scratch.drop());

  const tables = () =>
    scratch.database.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' order by 1",
    );

  test('a new database gets every migration, in order, and says so', async () => {
    const migrations = await readMigrations(folder);
    const log: string[] = [];
    expect(await migrate(scratch.database, migrations, (sentence) => log.push(sentence))).toEqual(names(migrations));
    expect(names(migrations)[0]).toBe('0001_record');
    expect(log[0]).toBe("The record's tables: applied 0001_record.");
    expect(await tables()).toContainEqual({ name: 'activity' });
  });

  test('migrating twice changes nothing', async () => {
    const migrations = await readMigrations(folder);
    await migrate(scratch.database, migrations);
    const [before, applied] = [await tables(), await scratch.database.query('select * from migration')];
    expect(await migrate(scratch.database, migrations)).toEqual([]);
    expect([await tables(), await scratch.database.query('select * from migration')]).toEqual([before, applied]);
  });

  test('processes that migrate at the same time apply each file once', async () => {
    const run = async () => {
      const loader = import.meta.resolve('tsx');
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--import',
        loader,
        program,
        scratch.connectionString,
        folder,
      ]);
      return JSON.parse(stdout) as string[];
    };
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat().sort()).toEqual(names(await readMigrations(folder)));
  });

  test('a slow migration does not stop the others by its lock: they wait for it', async () => {
    const slow: Migration = { name: '0001_slow', sql: 'create table slow (id int); select pg_sleep(0.5)' };
    const hasty = await scratch.open({ statementTimeoutMs: 100, lockTimeoutMs: 100 });
    const applied = await Promise.all([migrate(hasty, [slow]), migrate(hasty, [slow])]);
    expect(applied.flat()).toEqual(['0001_slow']);
  });

  test('a file that fails is undone whole; what came before it stays, and it is tried again', async () => {
    const broken: Migration = { name: '0002_broken', sql: 'create table half (id int); select 1 / 0' };
    await expect(migrate(scratch.database, [first, broken])).rejects.toMatchObject({ code: '22012' });
    expect(await tables()).toEqual([{ name: 'first' }, { name: 'migration' }]);
    const mended = { ...broken, sql: 'create table half (id int)' };
    expect(await migrate(scratch.database, [first, mended])).toEqual(['0002_broken']);
    expect(await scratch.database.query('select * from first')).toEqual([{ id: 1 }]);
  });

  test('a database that a newer Lobby has changed is refused and left alone', async () => {
    await migrate(scratch.database, [first, second]);
    const third: Migration = { name: '0001_other', sql: 'create table other (id int)' };
    await expect(migrate(scratch.database, [first])).rejects.toMatchObject({
      code: 'database_newer',
      message: expect.stringContaining('0002_second'),
    });
    await expect(migrate(scratch.database, [first, third])).rejects.toMatchObject({ code: 'database_newer' });
    expect(await tables()).not.toContainEqual({ name: 'other' });
  });

  test('a file edited after it was applied is refused and not applied again', async () => {
    await migrate(scratch.database, [first]);
    const edited = { ...first, sql: `${first.sql}; drop table first` };
    await expect(migrate(scratch.database, [edited, second])).rejects.toMatchObject({
      code: 'migration_changed',
      message: expect.stringContaining('0001_first.sql'),
    });
    expect(await tables()).toEqual([{ name: 'first' }, { name: 'migration' }]);
  });

  test('other line ends are no edit', async () => {
    const unix = { name: '0001_lines', sql: 'select 1;\nselect 2;\n' };
    await migrate(scratch.database, [unix]);
    expect(await migrate(scratch.database, [{ ...unix, sql: unix.sql.replaceAll('\n', '\r\n') }])).toEqual([]);
  });
});

describe('the folder', () => {
  let made: string;
  beforeEach(async () => {
    made = await mkdtemp(join(tmpdir(), 'lobby-migrations-'));
  });
  afterEach(() => rm(made, { recursive: true }));

  test('is read in the order of the numbers, and nothing else in it counts', async () => {
    for (const name of ['0010_b.sql', '0002_a.sql', 'notes.md', '3_c.sql', '0001_draft.sql~'])
      await writeFile(join(made, name), 'select 1');
    expect(names(await readMigrations(made))).toEqual(['0002_a', '0010_b']);
  });

  test('with a number twice is refused', async () => {
    for (const name of ['0002_a.sql', '0002_b.sql']) await writeFile(join(made, name), 'select 1');
    await expect(readMigrations(made)).rejects.toMatchObject({ code: 'migrations_unusable' });
  });

  test('without a migration is refused', async () => {
    await expect(readMigrations(made)).rejects.toMatchObject({ code: 'migrations_unusable' });
  });
});

describe('what the roles may do', () => {
  let migrated: ScratchDatabase;
  beforeAll(async () => {
    migrated = await scratchDatabase();
  });
  afterAll(() => migrated.drop());

  const rights = async (role: string, table: string, of: ScratchDatabase = migrated) => {
    const all = ['select', 'insert', 'update', 'delete', 'truncate'];
    const rows = await of.database.query<{ right: string }>(
      'select r as right from unnest($3::text[]) with ordinality as u(r, n) where has_table_privilege($1, $2, r) order by n',
      [role, table, all],
    );
    return rows.map((row) => row.right);
  };

  test.each([
    ['lobby_app', 'conversation', ['select', 'insert', 'update']],
    ['lobby_app', 'customer', ['select', 'insert', 'update']],
    ['lobby_app', 'activity', ['select', 'insert']],
    ['lobby_app', 'consent', ['select', 'insert']],
    ['lobby_app', 'migration', ['select']],
    ['lobby_sender', 'outbox', ['select', 'update']],
    ['lobby_sender', 'activity', ['select']],
    ['lobby_sender', 'conversation', ['select']],
    ['lobby_sender', 'customer', []],
    ['lobby_sender', 'consent', []],
  ])('%s on %s: %j', async (role, table, expected) => {
    expect(await rights(role, table)).toEqual(expected);
  });

  test('a right given by hand is taken back', async () => {
    await migrated.database.query('grant delete on activity to lobby_app; grant select on customer to lobby_sender');
    await migrate(migrated.database, await readMigrations(folder));
    expect(await rights('lobby_app', 'activity')).toEqual(['select', 'insert']);
    expect(await rights('lobby_sender', 'customer')).toEqual([]);
  });

  test('the service, working as its role, cannot rewrite what was said', async () => {
    const app = await migrated.open({ role: 'lobby_app' });
    await expect(app.query("update activity set body = '{}'")).rejects.toMatchObject({ code: '42501' });
    await expect(app.query('delete from consent')).rejects.toMatchObject({ code: '42501' });
  });

  test('a table of a later migration is covered, by what its comment says of it', async () => {
    const own = await scratchDatabase();
    onTestFinished(() => own.drop());
    const known = await readMigrations(folder);
    const later: Migration = {
      name: '9999_later',
      sql: `create table plain (id int);
            create table said (id int); comment on table said is 'append-only: for ever';
            create table cache (id int); comment on table cache is 'disposable: for a day'`,
    };
    await migrate(own.database, [...known, later]);
    expect(await rights('lobby_app', 'plain', own)).toEqual(['select', 'insert', 'update']);
    expect(await rights('lobby_app', 'said', own)).toEqual(['select', 'insert']);
    expect(await rights('lobby_app', 'cache', own)).toEqual(['select', 'insert', 'update', 'delete']);
    expect(await rights('lobby_sender', 'plain', own)).toEqual([]);
  });
});
