-- One turn: read in one query, written in one commit.

-- What a turn needs before it runs. `known_seq` is set when the key was recorded before.
create function turn_load(p_conversation text, p_key text)
returns table (version bigint, seq bigint, owner text, epoch bigint, state jsonb, language text, language_chosen boolean,
               erased boolean, recent text[], handoff_number text, handoff_at timestamptz, known_seq bigint)
language sql stable as $$
  select c.ver, c.seq, c.owner, c.epoch, c.state, c.language, c.language_chosen, c.erased_at is not null,
         (select array_agg(r.body->>'text' order by r.seq)
            from (select a.seq, a.body from activity a
                   where a.conversation_id = c.id and a.direction = 'in' and a.body ? 'text' order by a.seq desc limit 3) r),
         h.number, h.queued_at,
         (select a.seq from activity a where a.dkey = p_key and a.conversation_id = p_conversation)
    from conversation c
    left join handoff h on h.conversation_id = c.id and h.closed_at is null
   where c.id = p_conversation
$$;

-- The next case number of a letter, counted by bank-local day: C20261123-000123.
create function next_case_number(p_letter text, p_zone text) returns text
language plpgsql volatile as $$
declare
  v_day date := (clock_timestamp() at time zone p_zone)::date;
  v_last int;
begin
  insert into case_counter as k (letter, day, last) values (p_letter, v_day, 1)
    on conflict (letter, day) do update set last = k.last + 1
    returning k.last into v_last;
  return p_letter || to_char(v_day, 'YYYYMMDD') || '-' || lpad(v_last::text, 6, '0');
end $$;

-- Applies what a turn decided besides its words. Returns the case numbers by their ref.
create function apply_effects(p_conversation conversation, p_effects jsonb, p_cause_seq bigint, p_zone text) returns jsonb
language plpgsql volatile as $$
declare
  e jsonb;
  v_number text;
  numbers jsonb := '{}';
begin
  for e in select value from jsonb_array_elements(p_effects) loop
    case e->>'kind'
      when 'handoff.request' then
        update handoff h
           set priority = least(h.priority, (e->>'priority')::smallint),
               codes = h.codes || (e->>'code'), code_seqs = h.code_seqs || p_cause_seq
         where h.conversation_id = p_conversation.id and h.closed_at is null
         returning h.number into v_number;
        if not found then
          v_number := next_case_number('H', p_zone);
          insert into handoff (id, number, conversation_id, priority, codes, code_seqs)
          values (gen_random_uuid(), v_number, p_conversation.id, (e->>'priority')::smallint, array[e->>'code'], array[p_cause_seq]);
        end if;
        numbers := numbers || jsonb_build_object(e->>'ref', v_number);
      when 'handoff.cancel' then
        update handoff h set state = 'abandoned', closed_at = now()
         where h.conversation_id = p_conversation.id and h.closed_at is null and h.state in ('queued', 'offered');
      when 'language' then
        update conversation set language = e->>'language', language_chosen = (e->>'chosen')::boolean where id = p_conversation.id;
      when 'consent' then
        insert into consent (conversation_id, customer_id, identity_id, purpose, action, text_version, language, channel, evidence_seq)
        values (p_conversation.id, p_conversation.customer_id, p_conversation.identity_id, e->>'purpose', e->>'action',
                e->>'textVersion', e->>'language', p_conversation.channel, p_cause_seq);
      when 'conversation.end' then
        update conversation set ended_at = now() where id = p_conversation.id;
        update handoff h set state = 'abandoned', closed_at = now()
         where h.conversation_id = p_conversation.id and h.closed_at is null and h.state in ('queued', 'offered');
    end case;
  end loop;
  return numbers;
end $$;

-- A turn as it stands after the tests of turn_commits: what it asks for, beside what its conversation is.
create type judged_turn as (
  place int, outcome text, conversation_id text, ver bigint, seq bigint, epoch bigint, known_seq bigint,
  dkey text, cause jsonb, replies jsonb, state jsonb, owner text, outbox jsonb, effects jsonb, timers jsonb, firing uuid,
  numbers jsonb);

-- Writes turns of different conversations in one commit; under load they share the wait for the disk. `place` is a turn's
-- place in the list, from 0. A duplicate or a conflict of one does not touch the others.
-- The order is the protocol: lock, then key, version, timer, owner, then write. The tests are a statement of their own, so
-- that they see what the last holder of the lock committed: it must run under read committed. Locks are taken in the order
-- of the ids, so that two lists that meet cannot wait for each other. It never raises for an expected case.
create function turn_commits(p_turns jsonb, p_zone text)
returns table (place int, outcome text, version bigint, cause_seq bigint, at timestamptz, numbers jsonb, epoch bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
  v_turns judged_turn[];
  v_conversation conversation;
  v_ref text;
begin
  perform 1 from conversation c
    where c.id = any (select e->>'conversationId' from jsonb_array_elements(p_turns) e)
    order by c.id
    for no key update;

  select array_agg((
           (t.ordinality - 1)::int,
           case when c.id is null or c.erased_at is not null then 'gone'
                when known.seq is not null then 'duplicate'
                when c.ver <> x.seen then 'conflict'
                when x.firing is not null and r.id is null then 'duplicate'
                when c.epoch <> x.epoch
                     and exists (select from jsonb_array_elements(x.replies) s where s->>'speaker' <> 'system') then 'not_owner'
                else 'ok' end,
           x."conversationId", c.ver, c.seq, c.epoch + (x.owner is not null and x.owner <> c.owner)::int, known.seq,
           x.key, x.cause, x.replies, x.state, x.owner, x.outbox, x.effects, x."timersSet", x.firing,
           '{}')::judged_turn)
    into v_turns
    from jsonb_array_elements(p_turns) with ordinality t
    cross join lateral jsonb_to_record(t.value) as x(
      "conversationId" text, seen bigint, epoch bigint, key text, cause jsonb, replies jsonb, state jsonb, owner text,
      outbox jsonb, effects jsonb, "timersSet" jsonb, firing uuid)
    left join conversation c on c.id = x."conversationId"
    left join activity known on known.dkey = x.key
    left join timer r on r.id = x.firing and r.state = 'waiting';

  for i in 1 .. cardinality(v_turns) loop
    if v_turns[i].outcome = 'ok' and v_turns[i].effects <> '[]' then
      select * into v_conversation from conversation c where c.id = v_turns[i].conversation_id;
      v_turns[i].numbers := apply_effects(v_conversation, v_turns[i].effects, v_turns[i].seq + 1, p_zone);
      for v_ref in select jsonb_object_keys(v_turns[i].numbers) loop
        v_turns[i].replies := replace(v_turns[i].replies::text, '{{' || v_ref || '}}', v_turns[i].numbers->>v_ref)::jsonb;
      end loop;
    end if;
  end loop;

  with written as materialized (
    select u.*, jsonb_array_length(u.replies) as said from unnest(v_turns) u where u.outcome = 'ok'
  ), moved as (
    update conversation c
       set ver = w.ver + 1, seq = w.seq + 1 + w.said, epoch = w.epoch, state = coalesce(w.state, c.state),
           ended_at = case when c.owner = 'none' and w.owner = 'bot' then null else c.ended_at end,
           owner = coalesce(w.owner, c.owner)
      from written w where c.id = w.conversation_id
  ), recorded as (
    insert into activity (conversation_id, seq, turn, direction, speaker, epoch, dkey, body)
    select w.conversation_id, w.seq + 1, w.ver + 1, w.cause->>'direction', w.cause->>'speaker', w.epoch, w.dkey, w.cause->'body'
      from written w
    union all
    select w.conversation_id, w.seq + 1 + s.ordinality, w.ver + 1, 'out', s.value->>'speaker', w.epoch, null, s.value->'body'
      from written w, jsonb_array_elements(w.replies) with ordinality s
  ), queued as (
    insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class)
    select gen_random_uuid(), w.conversation_id, w.seq + 1 + n, w.seq + 1 + n,
           w.outbox->>'channel', w.outbox->>'route', w.outbox->>'class'
      from written w, generate_series(1, w.said) n where w.outbox is not null
  ), released as (
    update outbox o set state = 'ready', due = now()
      from written w where o.conversation_id = w.conversation_id and o.state = 'held' and w.cause->>'direction' = 'in'
  ), armed as (
    insert into timer (id, kind, conversation_id, subject, due, payload)
    select (s->>'id')::uuid, s->>'kind', w.conversation_id, s->>'subject',
           now() + (s->>'dueInMs')::int * interval '1 millisecond', s->'payload'
      from written w, jsonb_array_elements(w.timers) s
    on conflict do nothing
  )
  update timer r set state = 'fired', settled_at = now() from written w where r.id = w.firing;

  return query
    select u.place, u.outcome, u.ver + 1, case when u.outcome = 'ok' then u.seq + 1 else u.known_seq end, now(), u.numbers, u.epoch
      from unnest(v_turns) u;
end $$;
