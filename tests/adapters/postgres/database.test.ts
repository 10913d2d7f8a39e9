import { createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openDatabase, type PostgresDatabase } from '../../../adapters/postgres/database.ts';
import { emptyDatabase, type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { Wire } from '../../support/wire.ts';

let scratch: ScratchDatabase;
let database: PostgresDatabase;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  scratch = await emptyDatabase();
  database = scratch.database;
  await database.query('create table note (id int primary key, text text)');
});
afterAll(() => scratch.drop());
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
  await database.query('truncate note');
});

async function open(settings: Parameters<ScratchDatabase['open']>[0]): Promise<PostgresDatabase> {
  const pool = await scratch.open(settings);
  closers.push(() => pool.close());
  return pool;
}

async function openThroughWire(settings: Parameters<ScratchDatabase['open']>[0]): Promise<[PostgresDatabase, Wire]> {
  const wire = await Wire.to(scratch.connectionString);
  closers.push(() => wire.close());
  return [await open({ ...settings, connectionString: wire.connectionString }), wire];
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

const backend = async (from: PostgresDatabase) =>
  (await from.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid;
const kill = (pid: number | undefined) => database.query('select pg_terminate_backend($1)', [pid]);
const notes = () => database.query<{ id: number; text: string }>('select * from note order by id');
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  );

test('counts arrive as numbers, times as ISO instants, dates as written', async () => {
  const [row] = await database.query(
    `select 9007199254740991::bigint as count, array[1::bigint, null, 3] as counts, '2026-02-17'::date as day, array['2026-02-17'::date] as days,
            '2026-02-17 08:00:00.123456+08'::timestamptz as at, array['2026-02-17 08:00+08'::timestamptz] as times,
            'infinity'::timestamptz as never, '{"a": [1]}'::jsonb as json, null::timestamptz as nothing, 1.50::numeric as rate`,
  );
  expect(row).toEqual({
    count: 9007199254740991,
    counts: [1, null, 3],
    day: '2026-02-17',
    days: ['2026-02-17'],
    at: '2026-02-17T00:00:00.123Z',
    times: ['2026-02-17T00:00:00.000Z'],
    never: 'infinity',
    json: { a: [1] },
    nothing: null,
    rate: '1.50',
  });
});

test('other users of the driver keep its own values', async () => {
  const client = new pg.Client({ connectionString: scratch.connectionString });
  await client.connect();
  const { rows } = await client.query('select 1::bigint as count, now() as at');
  await client.end();
  expect(rows[0]).toEqual({ count: '1', at: expect.any(Date) });
});

test('a session speaks UTC and read committed, whatever the database and the address say', async () => {
  const own = await emptyDatabase();
  closers.push(() => own.drop());
  const name = new URL(own.connectionString).pathname.slice(1);
  await own.database.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
  await own.database.query(`alter database ${name} set datestyle = 'German'`);
  const url = new URL(own.connectionString);
  url.searchParams.set('options', '-c statement_timeout=0 -c timezone=Asia/Shanghai -c search_path=elsewhere,public');
  const pool = await own.open({ connectionString: url.href });
  const [row] = await pool.query(
    `select current_setting('transaction_isolation') as isolation, current_setting('statement_timeout') as statement,
            current_setting('lock_timeout') as lock, current_setting('search_path') as path, '2026-02-17'::date as day, '2026-02-17Z'::timestamptz as at`,
  );
  expect(row).toEqual({
    isolation: 'read committed',
    statement: '5s',
    lock: '2s',
    path: 'elsewhere,public',
    day: '2026-02-17',
    at: '2026-02-17T00:00:00.000Z',
  });
});

test('a refused statement keeps its SQLSTATE, loses the row it quotes, and costs no connection', async () => {
  const one = await open({ max: 1 });
  const before = await backend(one);
  await one.query('insert into note values (1, $1)', ['secret']);
  const error = await one.query('insert into note values (1, $1)', ['secret']).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: '23505', constraint: 'note_pkey' });
  expect(error).toHaveProperty('detail', undefined);
  expect(await backend(one)).toBe(before);
});

test('a statement past its time is given up, certainly not done, and the connection goes on', async () => {
  const one = await open({ max: 1, statementTimeoutMs: 50 });
  const before = await backend(one);
  expect(await codeOf(one.query("insert into note select 1, 'late' from pg_sleep(2)"))).toBe('database_timeout');
  expect(await notes()).toEqual([]);
  expect(await backend(one)).toBe(before);
});

test('a statement that waits too long for a lock is given up', async () => {
  await database.query("insert into note values (1, 'locked')");
  const other = await open({ lockTimeoutMs: 50 });
  await database.transaction(async (inside) => {
    await inside.query('select from note for update');
    expect(await codeOf(other.query("update note set text = 'mine'"))).toBe('database_timeout');
  });
});

test.each(['57P01', '08006'])(
  'a connection that ends in the middle of a statement (%s) leaves the outcome unknown',
  async (how) => {
    const [one, wire] = await openThroughWire({ max: 1 });
    const pid = await backend(one);
    const statement = codeOf(one.query('select pg_sleep(5)'));
    await isBusy(pid);
    if (how === '57P01') await kill(pid);
    else wire.cut();
    expect(await statement).toBe('database_unknown');
    expect(await one.query('select 1 as n')).toEqual([{ n: 1 }]);
  },
);

test('a server that falls silent in the middle of a statement leaves the outcome unknown', async () => {
  const [one, wire] = await openThroughWire({ max: 1, statementTimeoutMs: 100 });
  await one.query('select 1');
  wire.freeze();
  const began = performance.now();
  expect(await codeOf(one.query("insert into note values (1, 'perhaps')"))).toBe('database_unknown');
  expect(performance.now() - began).toBeLessThan(4_000);
  wire.thaw();
  expect(await one.query('select 1 as n')).toEqual([{ n: 1 }]);
});

test('a connection that ends while nobody uses it is replaced without a word', async () => {
  const one = await open({ max: 1 });
  const before = await backend(one);
  await kill(before);
  await expect.poll(() => one.size).toBe(0);
  expect(await backend(one)).not.toBe(before);
});

test('a connection that ends between two statements of a transaction undoes it and says so', async () => {
  const one = await open({ max: 1 });
  const outcome = one.transaction(async (inside) => {
    const [row] = await inside.query<{ pid: number }>(
      "insert into note values (1, 'gone') returning pg_backend_pid() as pid",
    );
    await kill(row?.pid);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await inside.query("insert into note values (2, 'gone')");
  });
  expect(await codeOf(outcome)).toBe('database_unavailable');
  expect(await notes()).toEqual([]);
  expect(await one.query('select 1 as n')).toEqual([{ n: 1 }]);
});

test('a connection that ends during the commit leaves the outcome unknown', async () => {
  await database.query(`
    create table slow (id int);
    create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
    create constraint trigger dawdle after insert on slow deferrable initially deferred for each row execute function dawdle()`);
  const one = await open({ max: 1 });
  const pid = await backend(one);
  const outcome = codeOf(one.transaction((inside) => inside.query('insert into slow values (1)')));
  await isBusy(pid, 'commit');
  await kill(pid);
  expect(await outcome).toBe('database_unknown');
});

test('a server that is not there is unavailable at once', async () => {
  const port = await listen(() => {});
  await closers.pop()?.();
  const began = performance.now();
  const error = await openDatabase({ connectionString: `postgres://a:b@127.0.0.1:${port}/c` }).catch(
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ code: 'database_unavailable', message: expect.stringContaining('ECONNREFUSED') });
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('a server that takes the call and says nothing is unavailable after two seconds', async () => {
  const port = await listen(() => {});
  const began = performance.now();
  expect(await codeOf(openDatabase({ connectionString: `postgres://a:b@127.0.0.1:${port}/c` }))).toBe(
    'database_unavailable',
  );
  expect(performance.now() - began).toBeLessThan(3_000);
});

test('an outage of an open pool is noticed fast and ends by itself', async () => {
  const [pool, wire] = await openThroughWire({ max: 2 });
  await pool.query('select 1');
  wire.cut();
  wire.refuse();
  await expect.poll(() => pool.size).toBe(0);
  expect(await codeOf(pool.query('select 1'))).toBe('database_unavailable');
  wire.accept();
  expect(await pool.query('select 1 as n')).toEqual([{ n: 1 }]);
});

test('a caller who waits too long for a connection is told that nothing was done', async () => {
  const one = await open({ max: 1, connectTimeoutMs: 100 });
  await one.transaction(async () => {
    const waiting = codeOf(one.query("insert into note values (1, 'never')"));
    expect(one.waiting).toBe(1);
    expect(await waiting).toBe('database_unavailable');
  });
  expect(await notes()).toEqual([]);
});

test('a server that refuses the login or the database is unavailable, with its reason', async () => {
  const url = new URL(scratch.connectionString);
  url.pathname = '/nowhere';
  await expect(openDatabase({ connectionString: url.href })).rejects.toMatchObject({
    code: 'database_unavailable',
    message: expect.stringContaining('database "nowhere" does not exist'),
  });
});

test.each(['', 'lobby', 'mysql://a@b/c', 'postgres://[/x'])(
  '%j is no address of a database',
  async (connectionString) => {
    await expect(openDatabase({ connectionString })).rejects.toMatchObject({ code: 'database_url_wrong' });
  },
);

test.each([
  ['a full disk', '53100'],
  ['too many connections', '53300'],
  ['a broken disk', '58030'],
  ['a standby', '25006'],
])('%s means that the database cannot be used, not that the statement was wrong', async (_why, state) => {
  const raise = `do $$ begin raise sqlstate '${state}'; end $$`;
  expect(await codeOf(database.query(raise))).toBe('database_unavailable');
});

test('a database that does not keep UTF-8 is refused', async () => {
  const name = `${new URL(scratch.connectionString).pathname.slice(1)}_ascii`;
  await database.query(
    `create database ${name} template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'`,
  );
  const url = new URL(scratch.connectionString);
  url.pathname = `/${name}`;
  try {
    await expect(openDatabase({ connectionString: url.href })).rejects.toMatchObject({ code: 'database_encoding' });
  } finally {
    await database.query(`drop database ${name}`);
  }
});

test.each(['a\0b', 'half \ud83d', '\ude00 half'])(
  'text that PostgreSQL cannot store is refused before it is sent: %j',
  async (text) => {
    const one = await open({ max: 1 });
    const before = await backend(one);
    expect(await codeOf(one.query('insert into note values (1, $1)', [text]))).toBe('database_text_refused');
    expect(await backend(one)).toBe(before);
  },
);

test('whole characters of every plane are kept', async () => {
  await database.query('insert into note values (1, $1)', ['你好 😀 𠮷']);
  expect(await notes()).toEqual([{ id: 1, text: '你好 😀 𠮷' }]);
});

test.each([
  ['"\\u0000"', '22P05'],
  ['"\\ud83d"', '22P02'],
])('JSON that PostgreSQL cannot store is refused by it: %s', async (json, code) => {
  expect(await codeOf(database.query('select $1::jsonb', [json]))).toBe(code);
});

test('a value that is no value is our own mistake, and the pool goes on', async () => {
  const one = await open({ max: 1 });
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  await expect(one.query('select $1::jsonb', [circle])).rejects.toThrow(TypeError);
  expect(await one.query('select 1 as n')).toEqual([{ n: 1 }]);
});

test('a named statement stays prepared on its connection, and is prepared again on the next', async () => {
  const one = await open({ max: 1 });
  const ask = () => one.query<{ n: number }>('select $1::int as n', [7], 'seven');
  const prepared = () => one.query('select name from pg_prepared_statements');
  await ask();
  await ask();
  expect(await prepared()).toEqual([{ name: 'seven' }]);
  await kill(await backend(one));
  await expect.poll(() => one.size).toBe(0);
  expect(await ask()).toEqual([{ n: 7 }]);
  expect(await prepared()).toEqual([{ name: 'seven' }]);
});

test('a named statement that could not be prepared yet works when its table is there', async () => {
  const one = await open({ max: 1 });
  const ask = () => one.query('select * from later', [], 'later');
  expect(await codeOf(ask())).toBe('42P01');
  await database.query('create table later (n int)');
  expect(await ask()).toEqual([]);
});

test('a migration beside a running service does not break its named statements', async () => {
  await database.query('create table growing (a int); insert into growing values (1)');
  const one = await open({ max: 1 });
  const ask = () => one.query('select * from growing', [], 'growing');
  expect(await ask()).toEqual([{ a: 1 }]);
  await database.query('alter table growing add b int default 2');
  expect(await ask()).toEqual([{ a: 1, b: 2 }]);
});

test('inside a transaction such a statement fails once and works the next time', async () => {
  await database.query('create table moving (a int); insert into moving values (1)');
  const one = await open({ max: 1 });
  const ask = () => one.transaction((inside) => inside.query('select * from moving', [], 'moving'));
  await ask();
  await database.query('alter table moving add b int default 2');
  expect(await codeOf(ask())).toBe('0A000');
  expect(await ask()).toEqual([{ a: 1, b: 2 }]);
});

test('a transaction is kept whole', async () => {
  const result = await database.transaction(async (inside) => {
    await inside.query("insert into note values (1, 'one')");
    expect(await notes()).toEqual([]);
    return 'done';
  });
  expect(result).toBe('done');
  expect(await notes()).toEqual([{ id: 1, text: 'one' }]);
});

test('a transaction whose work throws is undone, and the error reaches the caller', async () => {
  const one = await open({ max: 1 });
  const before = await backend(one);
  const work = one.transaction(async (inside) => {
    await inside.query("insert into note values (1, 'one')");
    throw new Error('changed my mind');
  });
  await expect(work).rejects.toThrow('changed my mind');
  expect(await notes()).toEqual([]);
  expect(await backend(one)).toBe(before);
});

test('a transaction inside a transaction is undone alone', async () => {
  await database.transaction(async (outer) => {
    await outer.query("insert into note values (1, 'kept')");
    const inner = outer.transaction((inside) => inside.query("insert into note values (1, 'twice')"));
    expect(await codeOf(inner)).toBe('23505');
    await outer.transaction((inside) => inside.query("insert into note values (2, 'kept too')"));
  });
  expect(await notes()).toEqual([
    { id: 1, text: 'kept' },
    { id: 2, text: 'kept too' },
  ]);
});

test('a transaction that swallows the error of a statement is not mistaken for kept', async () => {
  const work = database.transaction(async (inside) => {
    await inside.query("insert into note values (1, 'one')");
    await inside.query('select 1 / 0').catch(() => {});
  });
  expect(await codeOf(work)).toBe('database_rolled_back');
  expect(await notes()).toEqual([]);
});

test('a statement that outlives its transaction is refused', async () => {
  const late = await database.transaction(async (inside) => () => inside.query("insert into note values (1, 'late')"));
  await expect(late()).rejects.toThrow('This transaction is over');
  expect(await notes()).toEqual([]);
});

test('a pool works as the role it was asked to, where the login may', async () => {
  const migrated = await scratchDatabase();
  closers.push(() => migrated.drop());
  const app = await migrated.open({ role: 'lobby_app' });
  expect(app.role).toBe('lobby_app');
  expect(await app.query('select current_user::text as role')).toEqual([{ role: 'lobby_app' }]);
  const [setting] = await app.query<{ lock: string }>("select current_setting('lock_timeout') as lock");
  expect(setting?.lock).toBe('2s');
});

test('a role that is not there, or not for this login, is left out', async () => {
  const login = `${new URL(scratch.connectionString).pathname.slice(1)}_login`;
  await database.query(`create role ${login} login password 'secret'`);
  closers.push(() => database.query(`drop role ${login}`));
  const url = new URL(scratch.connectionString);
  url.username = login;
  url.password = 'secret';
  for (const role of ['nobody_knows_this_role', 'lobby_app']) {
    const pool = await openDatabase({ connectionString: url.href, role });
    expect(pool.role).toBeNull();
    expect(await pool.query('select current_user::text as role')).toEqual([{ role: login }]);
    await pool.close();
  }
});

test('a closed pool waits for its last statement, and then is unavailable', async () => {
  const pool = await open({ max: 1 });
  const last = pool.query("insert into note select 1, 'last' from pg_sleep(0.1)");
  await expect.poll(() => pool.size).toBe(1);
  await pool.close();
  await last;
  await pool.close();
  expect(await notes()).toHaveLength(1);
  expect(await codeOf(pool.query('select 1'))).toBe('database_unavailable');
});

/** Until the backend runs something. */
async function isBusy(pid: number | undefined, statement = ''): Promise<void> {
  await expect
    .poll(
      () =>
        database.query("select from pg_stat_activity where pid = $1 and state = 'active' and query like $2", [
          pid,
          `${statement}%`,
        ]),
      {
        interval: 10,
      },
    )
    .toHaveLength(1);
}
