/** The audit that judges the crash proof, judged itself: each kind of damage is planted once and has to be found. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../record/types.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { type Audit, audit, type Verdict } from './audit.ts';
import type { Delivery, Evidence, Sent, Shown } from './evidence.ts';
import { STRUCTURE } from './structure.ts';

const WEB = 'w'.repeat(22);
const AZURE = 'a'.repeat(22);
const OTHER = 'o'.repeat(22);
const UUID = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Two conversations as they should be: one on the web with an answer at once and a late one, one on an outside channel. */
const HEALTHY = `
  insert into conversation (id, channel, thread_key, ver, seq, state) values
    ('${WEB}', 'web', '${WEB}', 3, 6, '{"turns":2}'), ('${AZURE}', 'azure', '${AZURE}', 1, 3, '{"turns":1}');
  insert into activity (conversation_id, seq, turn, direction, speaker, epoch, dkey, body) values
    ('${WEB}', 1, 1, 'in', 'customer', 0, 'web:${WEB}:k1', '{"type":"message","text":"hello"}'),
    ('${WEB}', 2, 1, 'out', 'bot', 0, null, '{"type":"message","text":"1: hello"}'),
    ('${WEB}', 3, 1, 'out', 'bot', 0, null, '{"type":"message","text":"2: hello"}'),
    ('${WEB}', 4, 2, 'in', 'customer', 0, 'web:${WEB}:k2', '{"type":"message","text":"slow"}'),
    ('${WEB}', 5, 3, 'event', 'system', 0, 'answer:${WEB}:4', '{"type":"event"}'),
    ('${WEB}', 6, 3, 'out', 'bot', 0, null, '{"type":"message","text":"1: slow"}'),
    ('${AZURE}', 1, 1, 'in', 'customer', 0, 'az:gate:${AZURE}:k3', '{"type":"message","text":"hi"}'),
    ('${AZURE}', 2, 1, 'out', 'bot', 0, null, '{"type":"message","text":"1: hi"}'),
    ('${AZURE}', 3, 1, 'out', 'bot', 0, null, '{"type":"message","text":"2: hi"}');
  insert into timer (id, kind, conversation_id, subject, due, state, payload) values
    ('${UUID(1)}', 'answer', '${WEB}', 'web:${WEB}:k2', now(), 'fired', '{"key":"web:${WEB}:k2"}');
  insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class, state, tries, attempt_started, done_at) values
    ('${UUID(2)}', '${AZURE}', 2, 2, 'azure', 'r', 'must', 'done', 1, now() - interval '20 s', now() - interval '19 s'),
    ('${UUID(3)}', '${AZURE}', 3, 3, 'azure', 'r', 'must', 'done', 1, now() - interval '18 s', now() - interval '17 s');`;

interface Seen {
  readonly web: Sent[];
  readonly azure: Sent[];
  readonly shown: Shown[];
  readonly deliveries: Delivery[];
}

function sent(key: string, ...seqs: number[]): Sent {
  return {
    name: `message ${key}`,
    key,
    expectsAnswer: true,
    acknowledged: true,
    seqs,
    attempts: { count: 1 },
    oddities: [],
  };
}

const show = (seq: number, key: string | null = null): Shown => ({ seq, key, inOrder: true });
const deliver = (text: string, key = 'k3'): Delivery => ({ thread: 'thread', key, text });

/** What the customers of {@link HEALTHY} saw. */
function healthy(): Seen {
  return {
    web: [sent('k1', 1), sent('k2', 4)],
    azure: [sent('k3')],
    shown: [show(1, 'k1'), show(2), show(3), show(4, 'k2'), show(6)],
    deliveries: [deliver('1: hi'), deliver('2: hi')],
  };
}

function asEvidence({ web, azure, shown, deliveries }: Seen): Evidence {
  const conversations = [
    { channel: 'web', conversationId: WEB, sent: web, shown } as const,
    { channel: 'azure', thread: 'thread', sent: azure } as const,
  ];
  return { conversations, deliveries };
}

interface Damage {
  readonly what: string;
  readonly sql?: string;
  readonly seen?: (seen: Seen) => Partial<Seen>;
  readonly verdict: Verdict;
  readonly evidence: RegExp;
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'two turns for one key',
    sql: `drop index activity_dkey;
          insert into activity (conversation_id, seq, turn, direction, speaker, epoch, dkey, body)
          select conversation_id, 7, 4, direction, speaker, epoch, dkey, body from activity where seq = 1 and conversation_id = '${WEB}'`,
    verdict: 'doubled',
    evidence: /P2 .*2 rows have the key web:w+:k1/,
  },
  {
    what: 'a hole in a conversation',
    sql: `delete from activity where conversation_id = '${WEB}' and seq = 2`,
    verdict: 'lost',
    evidence: /I3 .*w+ has 5 rows from 1 to 6/,
  },
  {
    what: 'a place taken twice',
    sql: `alter table activity drop constraint activity_pkey;
          update activity set seq = 2 where conversation_id = '${WEB}' and seq = 3`,
    verdict: 'doubled',
    evidence: /I3 .*w+ has 6 rows/,
  },
  {
    what: 'an answer in the turn of another message',
    sql: `update activity set turn = 2 where conversation_id = '${WEB}' and seq = 2`,
    verdict: 'outOfOrder',
    evidence: /I4 the rows of a turn.*turn 2 of w+ is rows 2 to 4/,
  },
  {
    what: 'turns in another order than their commits',
    sql: `update activity set turn = case turn when 2 then 3 else 2 end where conversation_id = '${WEB}' and turn > 1`,
    verdict: 'outOfOrder',
    evidence: /I4 turns stand.*turn 3 of w+ begins at row 4/,
  },
  {
    what: 'a turn that left no row',
    sql: `update conversation set ver = 4 where id = '${WEB}'`,
    verdict: 'lost',
    evidence: /I5 .*w+ says version 4/,
  },
  {
    what: 'a turn nobody counted',
    sql: `update conversation set ver = 2 where id = '${WEB}'`,
    verdict: 'doubled',
    evidence: /I5 .*w+ says version 2/,
  },
  {
    what: 'state lost between two turns',
    sql: `update conversation set state = '{"turns":1}' where id = '${WEB}'`,
    verdict: 'lost',
    evidence: /I6 .*w+ took 2 turns and counted 1/,
  },
  {
    what: 'a turn run on a state twice',
    sql: `update conversation set state = '{"turns":3}' where id = '${WEB}'`,
    verdict: 'doubled',
    evidence: /I6 .*w+ took 2 turns and counted 3/,
  },
  {
    what: 'an answer that was never queued',
    sql: `delete from outbox where seq_from = 3`,
    verdict: 'lost',
    evidence: /I7 the outbox holds each.*row 3 of a+ is queued 0 times/,
  },
  {
    what: 'an answer queued twice',
    sql: `update outbox set seq_from = 1 where seq_from = 3`,
    verdict: 'doubled',
    evidence: /I7 the outbox holds each.*row 2 of a+ is queued 2 times/,
  },
  {
    what: 'a queued message without a row',
    sql: `update outbox set seq_to = 4 where seq_from = 3`,
    verdict: 'lost',
    evidence: /I7 the outbox holds nothing else.*rows 3 to 4 of a+/,
  },
  {
    what: 'a message sent while an earlier one was still tried',
    sql: `update outbox set done_at = now() where seq_from = 2`,
    verdict: 'outOfOrder',
    evidence: /I8 .*of a+ row 3 was tried/,
  },
  {
    what: 'a message that was given up',
    sql: `update outbox set state = 'failed', errcode = 'send_refused' where seq_from = 3`,
    verdict: 'unanswered',
    evidence: /P7 every message.*row 3 of a+ is failed after 1 tries \(send_refused\)/,
  },
  {
    what: 'a timer that nobody rang',
    sql: `update timer set state = 'waiting', due = now() - interval '1 minute'`,
    verdict: 'unanswered',
    evidence: /I13 no timer is overdue.*of w+/,
  },
  {
    what: 'a timer that fired into the void',
    sql: `update timer set payload = '{"key":"web:${WEB}:k1"}'`,
    verdict: 'lost',
    evidence: /I13 a timer that has fired.*of w+/,
  },
  {
    what: 'a timer that fired twice',
    sql: `insert into timer (id, kind, conversation_id, subject, due, state, payload)
          select '${UUID(4)}', kind, conversation_id, subject, due, state, payload from timer`,
    verdict: 'doubled',
    evidence: /I13 a timer fires once.*2 timers/,
  },
  {
    what: 'a message without an answer',
    sql: `delete from activity where conversation_id = '${WEB}' and seq > 4`,
    verdict: 'unanswered',
    evidence: /no answer to w+\|4/,
  },
  {
    what: 'a message answered at once and late',
    sql: `update activity set dkey = 'answer:${WEB}:1' where conversation_id = '${WEB}' and seq = 5`,
    verdict: 'doubled',
    evidence: /answered at once and late: w+\|1/,
  },
  {
    what: 'the same answer twice',
    sql: `update activity set body = '{"type":"message","text":"1: hello"}' where conversation_id = '${WEB}' and seq = 3`,
    verdict: 'doubled',
    evidence: /the same answer twice to w+\|1/,
  },
  {
    what: 'an acknowledged message that is not in the record',
    seen: ({ web }) => ({ web: [...web, sent('k9', 7)] }),
    verdict: 'lost',
    evidence: /I1 message k9 was acknowledged as 7 and is not recorded/,
  },
  {
    what: 'a message acknowledged under another id than its own',
    seen: ({ web }) => ({ web: [sent('k1', 1, 4), ...web.slice(1)] }),
    verdict: 'doubled',
    evidence: /I1 message k1 was acknowledged as 4 and is w+\|1/,
  },
  {
    what: 'a message that was never taken',
    seen: ({ web }) => ({ web: [...web, { ...sent('k9'), acknowledged: false, oddities: ['404 {}'] }] }),
    verdict: 'unanswered',
    evidence: /message k9 was never taken in 1 tries, answered 404/,
  },
  {
    what: 'messages in another order than they were sent',
    seen: ({ web }) => ({ web: [...web].reverse() }),
    verdict: 'outOfOrder',
    evidence: /I2 .*w+\|4 .*w+\|1/,
  },
  {
    what: 'one thread in two conversations',
    sql: `insert into conversation (id, channel, thread_key, ver, seq, state) values ('${OTHER}', 'azure', '${OTHER}', 1, 2, '{"turns":1}');
          insert into activity (conversation_id, seq, turn, direction, speaker, epoch, dkey, body) values
            ('${OTHER}', 1, 1, 'in', 'customer', 0, 'az:gate:${OTHER}:k4', '{"type":"message"}'),
            ('${OTHER}', 2, 1, 'out', 'bot', 0, null, '{"type":"message","text":"1"}')`,
    seen: ({ azure }) => ({ azure: [...azure, sent('k4')] }),
    verdict: 'doubled',
    evidence: /one thread in two conversations/,
  },
  {
    what: 'something shown that is not in the record',
    seen: ({ shown }) => ({ shown: [...shown, show(7)] }),
    verdict: 'lost',
    evidence: /I14 7 was shown and is not in the record/,
  },
  {
    what: 'a hidden row shown',
    seen: ({ shown }) => ({ shown: [...shown.slice(0, 4), show(5), show(6)] }),
    verdict: 'lost',
    evidence: /I14 5 was shown and is not in the record/,
  },
  {
    what: 'an activity shown twice',
    seen: ({ shown }) => ({ shown: [...shown, show(6)] }),
    verdict: 'doubled',
    evidence: /I14 6 was shown twice/,
  },
  {
    what: 'an answer shown before its question',
    seen: ({ shown: [question, answer, ...rest] }) => ({ shown: [answer, question, ...rest].filter(isThere) }),
    verdict: 'outOfOrder',
    evidence: /I14 1 was shown after 2/,
  },
  {
    what: 'a row its customer was never shown',
    seen: ({ shown }) => ({ shown: shown.slice(0, 4) }),
    verdict: 'lost',
    evidence: /I14 6 was never shown/,
  },
  {
    what: 'one message under two ids',
    seen: ({ shown }) => ({ shown: [...shown, { seq: 4, key: 'k1', inOrder: false }] }),
    verdict: 'doubled',
    evidence: /I14 k1 was shown as 1 and 4/,
  },
  {
    what: 'a message sent that is not in the record',
    seen: ({ deliveries }) => ({ deliveries: [...deliveries, deliver('3: hi')] }),
    verdict: 'lost',
    evidence: /P5 "3: hi" was sent/,
  },
  {
    what: 'a message sent as the answer to another question',
    seen: ({ deliveries }) => ({ deliveries: [...deliveries, deliver('1: hi', 'k8')] }),
    verdict: 'lost',
    evidence: /P5 "1: hi" was sent/,
  },
  {
    what: 'a message that never arrived',
    seen: ({ deliveries }) => ({ deliveries: deliveries.slice(0, 1) }),
    verdict: 'lost',
    evidence: /P7 a+\|3 never arrived/,
  },
  {
    what: 'a message that arrived before an earlier one',
    seen: ({ deliveries }) => ({ deliveries: [...deliveries].reverse() }),
    verdict: 'outOfOrder',
    evidence: /I8 a+\|2 was sent after 3/,
  },
  {
    what: 'a message that arrived more often than it was tried',
    seen: ({ deliveries }) => ({ deliveries: [...deliveries, deliver('2: hi')] }),
    verdict: 'doubled',
    evidence: /P7 a+\|3 arrived 2 times in 1 tries/,
  },
];

let scratch: ScratchDatabase;

beforeAll(async () => {
  scratch = await scratchDatabase();
  await scratch.database.query(HEALTHY);
});
afterAll(() => scratch.drop());

/** Judges the healthy record with this damage done to it, and takes the damage back. */
async function judgedWith(sql: string, seen: Seen): Promise<Audit> {
  const unwanted = new Error('Only to be rolled back.');
  let judged: Audit | undefined;
  const plant = async (database: Database): Promise<never> => {
    if (sql !== '') await database.query(sql);
    judged = await audit(database, asEvidence(seen), { countingBot: true });
    throw unwanted;
  };
  await expect(scratch.database.transaction(plant)).rejects.toBe(unwanted);
  if (!judged) throw new Error('The damage could not be planted.');
  return judged;
}

describe('the audit', () => {
  test('finds nothing where nothing is wrong', async () => {
    expect(await judgedWith('', healthy())).toEqual({ violations: [], turns: 4, resent: 0 });
  });

  test.each(DAMAGES)('finds $what: $verdict', async ({ sql = '', seen, verdict, evidence }) => {
    const before = healthy();
    const { violations } = await judgedWith(sql, { ...before, ...seen?.(before) });
    expect(violations).toContainEqual({ verdict, evidence: expect.stringMatching(evidence) });
  });

  test('counts a message sent again because its outcome was unknown, and forgives it', async () => {
    const before = healthy();
    const seen = { ...before, deliveries: [...before.deliveries, deliver('2: hi')] };
    const judged = await judgedWith('update outbox set tries = 2 where seq_from = 3', seen);
    expect(judged).toEqual({ violations: [], turns: 4, resent: 1 });
  });

  test('forgives the echo of a repeat outside the order', async () => {
    const before = healthy();
    const echo = { seq: 1, key: 'k1', inOrder: false };
    expect((await judgedWith('', { ...before, shown: [...before.shown, echo] })).violations).toEqual([]);
  });

  test('has every invariant of the record broken once above', () => {
    const unbroken = STRUCTURE.filter(({ name }) => !DAMAGES.some(({ evidence }) => names(evidence, name)));
    expect(unbroken).toEqual([]);
  });
});

/** Whether the evidence asked for can only be this invariant's. */
function names({ source }: RegExp, invariant: string): boolean {
  return invariant.startsWith(source.split('.*')[0]?.trim() ?? '');
}

function isThere(shown: Shown | undefined): shown is Shown {
  return shown !== undefined;
}
