/** Defects planted into the real database, or into what speaks to it: a race must notice each. */

import type { Database } from '../../../record/types.ts';
import type { Cursor, Spoil } from '../races/bank.ts';
import type { races } from '../races/races.ts';

/** A defect and the race it must lose. */
export interface Planted {
  readonly spoil: Spoil;
  readonly race: keyof typeof races;
}

const KEY_TEST = "                when known.seq is not null then 'duplicate'\n";
const VERSION_TEST = "                when c.ver <> x.seen then 'conflict'\n";
const ALONE = 'one conversation on three instances';
const SAME_KEY = 'the same key everywhere at once';

/** Follows all conversations by a number or time that rows are given before they are committed. */
const byWhatIsGivenEarly =
  (column: string, first: unknown): (() => Cursor) =>
  () => {
    let mark = first;
    return async (database: Database) => {
      const rows = await database.query<{ conversation: string; seq: number; mark: unknown }>(
        `select conversation_id as conversation, seq, ${column} as mark from activity where ${column} > $1 order by ${column}`,
        [mark],
      );
      mark = rows.at(-1)?.mark ?? mark;
      return rows;
    };
  };

/** Each under the name of what was done wrong. */
export const planted: Readonly<Record<string, Planted>> = {
  'no unique key in the database': {
    spoil: { turnCommits: [[KEY_TEST, '']], statements: ['drop index activity_dkey'] },
    race: SAME_KEY,
  },
  'the database tests the version first and raises on the key': {
    spoil: {
      turnCommits: [
        [KEY_TEST, ''],
        [
          VERSION_TEST,
          VERSION_TEST + KEY_TEST.replace('known.seq is not null', 'known.seq is not null and c.ver <> x.seen'),
        ],
      ],
    },
    race: SAME_KEY,
  },
  'no version check in the database': { spoil: { turnCommits: [[VERSION_TEST, '']] }, race: ALONE },
  'the first writer of a conversation always wins': {
    spoil: { turnCommits: [['when c.ver <> x.seen then', 'when x.seen <> 0 and c.ver <> x.seen then']] },
    race: 'first contact',
  },
  'the row is read without a lock': {
    spoil: { turnCommits: [['    order by c.id\n    for no key update;', '    order by c.id;']] },
    race: ALONE,
  },
  'repeatable read': {
    spoil: { isolation: 'repeatable read' },
    race: ALONE,
  },
  'locks in the order the turns came': {
    spoil: {
      turnCommits: [
        [
          '    order by c.id\n    for no key update;',
          "    order by array_position(array(select e->>'conversationId' from jsonb_array_elements(p_turns) e), c.id)\n    for no key update;",
        ],
      ],
    },
    race: 'batches that meet',
  },
  'no epoch check in the database': {
    spoil: { turnCommits: [['when c.epoch <> x.epoch\n', 'when false\n']] },
    race: 'take-over against the bot’s answer',
  },
  'a fired timer fires again under another key': {
    spoil: {
      turnCommits: [['when x.firing is not null and r.id is null then', 'when false then']],
      turnRecord: (real) => ({
        ...real,
        commit: (turn) => real.commit(turn.firing ? { ...turn, key: `${turn.key}:${Math.random()}` } : turn),
      }),
    },
    race: 'one timer, several pollers',
  },
  'a cursor on a global id': {
    spoil: {
      statements: ['alter table activity add column id bigint generated always as identity'],
      cursor: byWhatIsGivenEarly('id', 0),
    },
    race: 'a reader beside twelve writers',
  },
  'order by time': {
    spoil: { cursor: byWhatIsGivenEarly('at', '1970-01-01') },
    race: 'a reader beside twelve writers',
  },
  'no head of line in the database': {
    spoil: {
      statement: [
        "e.conversation_id = h.conversation_id and e.seq_from < h.seq_from and e.state in ('ready', 'leased', 'held')",
        'false',
      ],
    },
    race: 'one outbox, several senders',
  },
  'messages are claimed without a lock': {
    spoil: { statement: ['         for update skip locked)', ')'] },
    race: 'one outbox, several senders',
  },
};
