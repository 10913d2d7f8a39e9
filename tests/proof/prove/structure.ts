/** The invariants the record must keep by itself, each a query that returns one row for every place where it does not. */

export interface Invariant {
  readonly name: string;
  /** Returns `verdict` and `evidence`. */
  readonly sql: string;
  /** Only where the bot counts its turns in its state. */
  readonly countingBotOnly?: boolean;
}

export const STRUCTURE: readonly Invariant[] = [
  {
    name: 'P2 one key, one turn',
    sql: `select 'doubled' as verdict, format('%s rows have the key %s', count(*), dkey) as evidence
            from activity where dkey is not null group by dkey having count(*) > 1`,
  },
  {
    name: 'I3 seq is 1..n without a gap',
    sql: `select case when count(*) > count(distinct seq) then 'doubled' else 'lost' end as verdict,
                 format('%s has %s rows from %s to %s', conversation_id, count(*), min(seq), max(seq)) as evidence
            from activity group by conversation_id
          having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*)`,
  },
  {
    name: 'I4 the rows of a turn stand together, cause first',
    sql: `select 'outOfOrder' as verdict, format('turn %s of %s is rows %s to %s', turn, conversation_id, min(seq), max(seq)) as evidence
            from activity group by conversation_id, turn
          having max(seq) - min(seq) + 1 <> count(*) or count(dkey) <> 1
              or min(seq) filter (where dkey is not null) <> min(seq)
              or count(*) filter (where direction = 'out') <> count(*) - 1`,
  },
  {
    name: 'I4 turns stand in the order they were committed',
    sql: `select 'outOfOrder' as verdict, format('turn %s of %s begins at row %s, before turn %s ends', turn, conversation_id, first, before) as evidence
            from (select conversation_id, turn, min(seq) as first,
                         lag(turn) over w as before, lag(max(seq)) over w as ends
                    from activity group by conversation_id, turn
                  window w as (partition by conversation_id order by turn)) t
           where first <= ends`,
  },
  {
    name: 'I5 ver counts the turns, seq is the last row',
    sql: `select case when c.ver < t.turns then 'doubled' else 'lost' end as verdict,
                 format('%s says version %s and row %s, and has %s turns and row %s', c.id, c.ver, c.seq, t.turns, t.last) as evidence
            from conversation c
            cross join lateral (select count(distinct a.turn) as turns, coalesce(max(a.seq), 0) as last
                                  from activity a where a.conversation_id = c.id) t
           where c.ver <> t.turns or c.seq <> t.last`,
  },
  {
    name: 'I6 the bot remembers every turn it took',
    countingBotOnly: true,
    sql: `select case when t.counted > t.taken then 'doubled' else 'lost' end as verdict,
                 format('%s took %s turns and counted %s', t.id, t.taken, t.counted) as evidence
            from (select c.id, coalesce((c.state->>'turns')::int, 0) as counted,
                         (select count(distinct a.turn) from activity a
                           where a.conversation_id = c.id and a.direction = 'out' and a.speaker = 'bot') as taken
                    from conversation c) t
           where t.counted <> t.taken`,
  },
  {
    name: 'I7 the outbox holds each row for an outside channel once',
    sql: `select case when count(o.id) = 0 then 'lost' else 'doubled' end as verdict,
                 format('row %s of %s is queued %s times', a.seq, a.conversation_id, count(o.id)) as evidence
            from activity a
            join conversation c on c.id = a.conversation_id and c.channel <> 'web'
            left join outbox o on o.conversation_id = a.conversation_id and a.seq between o.seq_from and o.seq_to
           where a.direction = 'out'
           group by a.conversation_id, a.seq having count(o.id) <> 1`,
  },
  {
    name: 'I7 the outbox holds nothing else',
    sql: `select 'lost' as verdict, format('rows %s to %s of %s are queued and not there', o.seq_from, o.seq_to, o.conversation_id) as evidence
            from outbox o
           where (select count(*) from activity a
                   where a.conversation_id = o.conversation_id and a.direction = 'out' and a.seq between o.seq_from and o.seq_to)
                 <> o.seq_to - o.seq_from + 1`,
  },
  // Times are those of the transactions' beginnings, so they may overlap a little; the order on the wire is judged exactly.
  {
    name: 'I8 nothing is sent before an earlier message is',
    sql: `select 'outOfOrder' as verdict,
                 format('of %s row %s was tried at %s, and row %s was done at %s', l.conversation_id, l.seq_from, l.attempt_started, e.seq_from, e.done_at) as evidence
            from outbox e
            join outbox l on l.conversation_id = e.conversation_id and l.seq_from > e.seq_from
           where l.attempt_started < coalesce(e.done_at - interval '1 second', 'infinity')`,
  },
  {
    name: 'P7 every message is sent in the end',
    sql: `select 'unanswered' as verdict, format('row %s of %s is %s after %s tries (%s)', seq_from, conversation_id, state, tries, coalesce(errcode, 'no error')) as evidence
            from outbox where state <> 'done'`,
  },
  {
    name: 'I13 no timer is overdue',
    sql: `select 'unanswered' as verdict, format('timer %s of %s was due at %s', id, conversation_id, due) as evidence
            from timer where state = 'waiting' and due < now() - interval '30 seconds'`,
  },
  {
    name: 'I13 a timer that has fired had its effect',
    sql: `select 'lost' as verdict, format('timer %s of %s has fired without an answer', t.id, t.conversation_id) as evidence
            from timer t
            left join activity q on q.dkey = t.payload->>'key'
           where t.kind = 'answer' and t.state = 'fired'
             and not exists (select from activity a where a.dkey = format('answer:%s:%s', t.conversation_id, q.seq))`,
  },
  {
    name: 'I13 a timer fires once',
    sql: `select 'doubled' as verdict, format('%s timers have fired for %s', count(*), subject) as evidence
            from timer where kind = 'answer' and state = 'fired' group by subject having count(*) > 1`,
  },
];
