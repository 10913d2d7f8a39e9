/** `npm run outbox` on a real record: what an administrator reads, does, and cannot read. */

import { userInfo } from 'node:os';
import { v4 as newId } from 'uuid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyDatabase, type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { run } from './run.ts';

const talk = 'ConversationNumber1234';
let scratch: ScratchDatabase;
let ids: string[];

const outbox = (...words: string[]) => run(['outbox', ...words], { DATABASE_URL: scratch.connectionString });

beforeAll(async () => {
  scratch = await scratchDatabase();
  ids = [newId(), newId(), newId()];
  await scratch.database.query(
    `insert into conversation (id, channel, thread_key) values ($1, 'azure', 'the outside thread')`,
    [talk],
  );
  await scratch.database.query(
    `insert into activity (conversation_id, seq, turn, direction, speaker, epoch, body)
     select $1, n, n, 'out', 'bot', 0, '{"text": "the words"}' from generate_series(1, 3) n`,
    [talk],
  );
  await scratch.database.query(
    `insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class, state, tries, errcode)
     select id, $1, n, n, 'azure', 'the sealed route', 'once', state, 8, 'send_retry'
       from unnest($2::uuid[], array['failed', 'unknown', 'held']) with ordinality u(id, state, n)`,
    [talk, ids],
  );
});
afterAll(() => scratch.drop());

it('lists what did not arrive without a word of it', async () => {
  const { code, out, err } = await outbox('list');
  expect([code, err]).toEqual([0, '']);
  const lines = out.trimEnd().split('\n');
  expect(lines[0]).toMatch(
    /^id +state +channel +class +tries +error +conversation +rows +said +last tried +last word$/,
  );
  expect(lines.slice(1, 4).map((line) => line.split(/ {2,}/).slice(0, 8))).toEqual([
    [ids[0], 'failed', 'azure', 'once', '8', 'send_retry', 'Conversa', '1'],
    [ids[1], 'unknown', 'azure', 'once', '8', 'send_retry', 'Conversa', '2'],
    [ids[2], 'held', 'azure', 'once', '8', 'send_retry', 'Conversa', '3'],
  ]);
  expect(lines[4]).toBe('3 messages failed or unknown or held.');
  for (const secret of ['the words', 'the sealed route', 'the outside thread', talk]) expect(out).not.toContain(secret);
});

it('lists one state when asked', async () => {
  const { out } = await outbox('list', '--state', 'held');
  expect(out).toContain(ids[2]);
  expect(out).toMatch(/\n1 message held\.\n$/);
});

it('sends again and gives up, says so, and writes down who', async () => {
  const [failed = '', unknown = '', held = ''] = ids;
  expect(await outbox('resend', failed, '--by', 'lin')).toEqual({
    code: 0,
    out: `${failed}  is sent again\n`,
    err: '',
  });
  expect(await outbox('cancel', unknown)).toEqual({ code: 0, out: `${unknown}  is given up\n`, err: '' });
  const refused = await outbox('resend', held, failed.toUpperCase());
  expect(refused.out).toBe(
    `${held}  is held, so it cannot be sent again\n${failed}  is ready, so it cannot be sent again\n`,
  );
  expect([refused.code, refused.err]).toEqual([1, '2 of 2 were left as they were.\n']);
  const written = await scratch.database.query(
    'select outbox_id as id, action, by from outbox_action order by outbox_action.id',
  );
  expect(written).toEqual([
    { id: failed, action: 'resend', by: 'lin' },
    { id: unknown, action: 'cancel', by: userInfo().username },
  ]);
});

it('says that the record must be brought up to date first', async () => {
  const older = await emptyDatabase();
  try {
    const { code, err } = await run(['outbox', 'list'], { DATABASE_URL: older.connectionString });
    expect([code, err]).toEqual([
      1,
      'The record is not there or older than this program; start Lobby once, which brings it up to date.\n',
    ]);
  } finally {
    await older.drop();
  }
});
