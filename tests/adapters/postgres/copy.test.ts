/** Rows in and out by the server's own copy streams: all of them, the same everywhere, and never a connection left in the middle. */

import { setImmediate as breath, setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CopyTransaction, inCopyTransaction } from '../../../adapters/postgres/copy.ts';
import { emptyDatabase, type ScratchDatabase } from '../../support/database.ts';
import { cleanUp, makeFolder, serverPid, startHere } from './lobby.ts';

cleanUp();

let scratch: ScratchDatabase;

beforeAll(async () => {
  scratch = await emptyDatabase();
  await scratch.database.query(
    `create table numbered (n int primary key, text text); insert into numbered select n, repeat('x', 1000) from generate_series(1, 50000) n;
     create table filled (n int check (n < 10))`,
  );
});
afterAll(() => scratch.drop());

function copying<Result>(
  mode: 'read' | 'write',
  work: (transaction: CopyTransaction) => Promise<Result>,
): Promise<Result> {
  return inCopyTransaction({ connectionString: scratch.connectionString, applicationName: 'copy-test', mode }, work);
}

const connections = async (): Promise<number> => {
  const rows = await scratch.database.query(
    `select from pg_stat_activity where application_name = 'copy-test' and datname = current_database()`,
  );
  return rows.length;
};

async function* said(...pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}

describe('out', () => {
  test('every row comes, and the server says how many there were', async () => {
    await copying('read', async (record) => {
      const rows = record.copyOut('copy (select * from numbered order by n) to stdout');
      let bytes = 0;
      for await (const chunk of rows) bytes += chunk.length;
      expect(bytes).toBeGreaterThan(50_000 * 1_001);
      expect(await rows.sent()).toBe(50_000);
    });
    expect(await connections()).toBe(0);
  });

  test('a row is the same text whatever the login has set', async () => {
    const [login] = await scratch.database.query<{ name: string }>('select current_user::text as name');
    const [database] = await scratch.database.query<{ name: string }>('select current_database() as name');
    await scratch.database.query(
      `alter role ${login?.name} in database ${database?.name} set datestyle = 'SQL, DMY';
       alter role ${login?.name} in database ${database?.name} set timezone = 'Asia/Shanghai';
       alter role ${login?.name} in database ${database?.name} set bytea_output = 'escape'`,
    );
    onTestFinished(() =>
      scratch.database.query(`alter role ${login?.name} in database ${database?.name} reset all`).then(() => {}),
    );
    const text = await copying('read', async (record) => {
      let said = '';
      const statement = `copy (select timestamptz '2026-11-23 21:40:00.5+08', date '2026-11-03', interval '1 day', '\\x00ff'::bytea, 1.10::numeric) to stdout`;
      for await (const chunk of record.copyOut(statement)) said += chunk;
      return said;
    });
    expect(text).toBe('2026-11-23 13:40:00.5+00\t2026-11-03\t1 day\t\\\\x00ff\t1.10\n');
  });

  test('nothing can be changed', async () => {
    await expect(copying('read', (record) => record.query('insert into filled values (1)'))).rejects.toMatchObject({
      cause: { code: '25006' },
    });
  });

  test('what is committed meanwhile is not seen', async () => {
    await copying('read', async (record) => {
      const count = () => record.query<{ n: number }>('select count(*) as n from filled');
      const before = await count();
      await scratch.database.query('insert into filled values (1)');
      expect(await count()).toEqual(before);
    });
  });

  test('whoever stops reading half-way leaves no connection behind', async () => {
    const work = copying('read', async (record) => {
      for await (const _ of record.copyOut('copy numbered to stdout')) throw new Error('the disk is full');
    });
    await expect(work).rejects.toThrow('the disk is full');
    await expect.poll(connections).toBe(0);
  });

  test('a refused statement is an error, not an end', async () => {
    const work = copying('read', async (record) => {
      for await (const _ of record.copyOut('copy nothing_there to stdout'));
    });
    await expect(work).rejects.toMatchObject({ code: '42P01' });
    expect(await connections()).toBe(0);
  });

  test('a server that dies is an error, not an end', async () => {
    const dataDir = await makeFolder();
    const lobby = await startHere({ dataDir });
    const work = inCopyTransaction(
      { connectionString: lobby.connectionString, applicationName: 'copy-test', mode: 'read' },
      async (record) => {
        let chunks = 0;
        for await (const _ of record.copyOut(
          `copy (select repeat('x', 1000) from generate_series(1, 2000000)) to stdout`,
        )) {
          chunks += 1;
          if (chunks === 20) process.kill(await serverPid(dataDir), 'SIGQUIT');
        }
      },
    );
    await expect(work).rejects.toMatchObject({ code: 'database_unavailable' });
  });
});

describe('in', () => {
  test('rows are loaded in whatever pieces they come', async () => {
    await copying('write', async (record) => {
      await record.query('delete from filled');
      await record.copyIn('copy filled from stdin', said('1\n', '2', '\n3\n'));
    });
    expect(await scratch.database.query('select n from filled order by n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('what the rows’ own source throws is what is thrown, and nothing is kept', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('4\n');
      throw new RangeError('the file is damaged');
    }
    const work = copying('write', async (record) => {
      await record.query('insert into filled values (5)');
      await record.copyIn('copy filled from stdin', failing());
    });
    await expect(work).rejects.toThrow(new RangeError('the file is damaged'));
    await expect.poll(connections).toBe(0);
    expect(await scratch.database.query('select n from filled where n in (4, 5)')).toEqual([]);
  });

  test('a row the table refuses is refused without being quoted, and nothing is kept', async () => {
    const work = copying('write', (record) => record.copyIn('copy filled from stdin', said('6\n', '66\n')));
    const error: Error & { detail?: string; where?: string } = await work.then(
      () => new Error('it was taken'),
      (refusal) => refusal,
    );
    expect(error).toMatchObject({ code: '23514' });
    expect([error.detail, error.where]).toEqual([undefined, undefined]);
    await expect.poll(connections).toBe(0);
    expect(await scratch.database.query('select n from filled where n = 6')).toEqual([]);
  });

  test('an endless source is stopped by a refusal', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        asked += 1;
        await breath();
        yield Buffer.from('66\n'.repeat(1_000));
      }
    }
    await expect(
      copying('write', (record) => record.copyIn('copy filled from stdin', endless())),
    ).rejects.toMatchObject({ code: '23514' });
    const stopped = asked;
    await pause(50);
    expect(asked).toBe(stopped);
  });
});

test('a server that does not answer is said to be away', async () => {
  const settings = {
    connectionString: 'postgres://lobby@127.0.0.1:1/lobby',
    applicationName: 'copy-test',
    mode: 'read',
  } as const;
  await expect(inCopyTransaction(settings, () => Promise.resolve())).rejects.toMatchObject({
    code: 'database_unavailable',
  });
});
