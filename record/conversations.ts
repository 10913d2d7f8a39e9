/** Conversations and their activities: one query reads what a turn needs, one commit writes what it did. */

import type {
  CommitResult,
  Database,
  Loaded,
  NewThread,
  RecordedActivity,
  TurnCommit,
  TurnRecord,
  TurnState,
} from './types.ts';

/** The record as the turn gate uses it. `zone` is the bank's time zone: case numbers carry the bank's day. */
export function createTurnRecord(database: Database, zone: string): TurnRecord {
  return {
    load: (conversationId, key) => loadTurn(database, conversationId, key),
    commit: (turn) => commitTurn(database, turn, zone),
    rows: (conversationId, causeSeq) => readTurn(database, conversationId, causeSeq),
    begin: (thread) => beginThread(database, thread),
  };
}

interface LoadRow {
  readonly version: number;
  readonly seq: number;
  readonly owner: string;
  readonly epoch: number;
  readonly state: Record<string, unknown>;
  readonly language: 'zh' | 'en' | null;
  readonly language_chosen: boolean;
  readonly erased: boolean;
  readonly recent: string[] | null;
  readonly handoff_number: string | null;
  readonly handoff_at: string | null;
  readonly known_seq: number | null;
}

/** Reads what a turn of this conversation needs, and whether `key` has had its turn. One round trip. */
export async function loadTurn(database: Database, conversationId: string, key: string): Promise<Loaded> {
  const [row] = await database.query<LoadRow>('select * from turn_load($1, $2)', [conversationId, key], 'turn_load');
  if (!row) return { found: 'nothing' };
  if (row.known_seq !== null) return { found: 'repeat', causeSeq: row.known_seq };
  if (row.erased) return { found: 'erased' };
  const { handoff_number: number, handoff_at: at } = row;
  return {
    found: 'conversation',
    turn: {
      conversationId,
      version: row.version,
      seq: row.seq,
      owner: row.owner,
      epoch: row.epoch,
      state: row.state,
      language: row.language,
      languageChosen: row.language_chosen,
      recent: row.recent ?? [],
      openHandoff: number !== null && at !== null ? { number, at } : null,
    },
  };
}

/** A conversation nobody has spoken in yet. */
export function freshTurn(conversationId: string): TurnState {
  return {
    conversationId,
    version: 0,
    seq: 0,
    owner: 'bot',
    epoch: 0,
    state: {},
    language: null,
    languageChosen: false,
    recent: [],
    openHandoff: null,
  };
}

interface CommitRow {
  readonly outcome: CommitResult['outcome'];
  readonly version: number;
  readonly cause_seq: number;
  readonly at: string;
  readonly numbers: Record<string, string>;
  readonly epoch: number;
}

/**
 * Writes turns of different conversations, each whole or not at all, in one round trip and at most one commit. A duplicate or
 * conflict of one does not touch the others. `zone` is the bank's time zone: case numbers carry the bank's day.
 *
 * Throws only what {@link Database.query} throws, and then none was written, but for `database_unknown`: all or none were.
 * Look their keys up with {@link loadTurn} before trying again.
 */
export async function commitTurns(
  database: Database,
  turns: readonly TurnCommit[],
  zone: string,
): Promise<readonly CommitResult[]> {
  const rows = await database.query<CommitRow>(
    'select * from turn_commits($1::jsonb, $2) order by place',
    [JSON.stringify(turns), zone],
    'turn_commits',
  );
  if (rows.length !== turns.length) throw new Error('turn_commits returned another number of rows than turns.');
  return rows.map(toResult);
}

/** {@link commitTurns} for a single turn. */
export async function commitTurn(database: Database, turn: TurnCommit, zone: string): Promise<CommitResult> {
  const [result] = await commitTurns(database, [turn], zone);
  return result as CommitResult;
}

function toResult(row: CommitRow): CommitResult {
  switch (row.outcome) {
    case 'ok': {
      const { version, cause_seq: causeSeq, at, numbers, epoch } = row;
      return { outcome: 'ok', version, causeSeq, at, numbers, epoch };
    }
    case 'duplicate':
      return { outcome: 'duplicate', causeSeq: row.cause_seq };
    case 'conflict':
    case 'not_owner':
    case 'gone':
      return { outcome: row.outcome };
  }
}

interface ActivityRow {
  readonly conversation_id: string;
  readonly seq: number;
  readonly turn: number;
  readonly direction: RecordedActivity['direction'];
  readonly speaker: RecordedActivity['speaker'];
  readonly at: string;
  readonly body: RecordedActivity['body'];
}

/** The columns of an activity, in the shape {@link toRecorded} reads. */
export const ACTIVITY_COLUMNS = 'a.conversation_id, a.seq, a.turn, a.direction, a.speaker, a.at, a.body';

/** One row of `activity` as the rest of the program sees it. */
export function toRecorded(row: ActivityRow): RecordedActivity {
  const { conversation_id: conversationId, seq, turn, direction, speaker, at, body } = row;
  return { conversationId, seq, turn, direction, speaker, at, body };
}

/** The rows of the turn that the activity at `causeSeq` began, cause first. */
export async function readTurn(
  database: Database,
  conversationId: string,
  causeSeq: number,
): Promise<readonly RecordedActivity[]> {
  const rows = await database.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS}
       from activity a
       join activity cause on cause.conversation_id = a.conversation_id and cause.turn = a.turn
      where cause.conversation_id = $1 and cause.seq = $2
      order by a.seq`,
    [conversationId, causeSeq],
  );
  return rows.map(toRecorded);
}

/** The whole conversation in order, hidden events included. */
export async function readConversation(
  database: Database,
  conversationId: string,
): Promise<readonly RecordedActivity[]> {
  const rows = await database.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS} from activity a where a.conversation_id = $1 order by a.seq`,
    [conversationId],
  );
  return rows.map(toRecorded);
}

/** Writes the identity and the conversation of a thread nobody has spoken in yet. Does nothing when it is there. */
export async function beginThread(database: Database, thread: NewThread): Promise<void> {
  await database.query(
    `with known as (
       select id from identity where channel = $2 and account = $4 and external_id = $5 and valid_to is null
     ), made as (
       insert into identity (id, channel, account, external_id)
       select gen_random_uuid(), $2, $4, $5 where not exists (select from known)
       on conflict (channel, account, external_id) where valid_to is null do update set external_id = excluded.external_id
       returning id
     )
     insert into conversation (id, channel, thread_key, identity_id)
     select $1, $2, $3, id from (select id from known union all select id from made limit 1) i
     on conflict do nothing`,
    [thread.conversationId, thread.channel, thread.threadKey, thread.account, thread.externalId],
  );
}
