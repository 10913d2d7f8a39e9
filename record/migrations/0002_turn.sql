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

-- Writes one turn, whole or not at all. The order of the tests is the protocol: lock, key, version, owner, write.
-- It never raises for an expected case. Must run under read committed.
create function turn_commit(t jsonb)
returns table (outcome text, version bigint, cause_seq bigint, at timestamptz, numbers jsonb, epoch bigint)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  c conversation;
  v_conversation text := t->>'conversationId';
  v_replies jsonb := t->'replies';
  v_count int := jsonb_array_length(v_replies);
  v_ref text;
begin
  numbers := '{}';
  at := now();
  if (t->>'seen')::bigint = 0 then
    insert into conversation (id, channel, thread_key) values (v_conversation, t->>'channel', t->>'threadKey') on conflict do nothing;
  end if;
  select * into c from conversation k where k.id = v_conversation for no key update;
  if not found or c.erased_at is not null then
    outcome := 'gone';
    return next;
    return;
  end if;
  select a.seq into cause_seq from activity a where a.dkey = t->>'key';
  if found then
    outcome := 'duplicate';
  elsif c.ver <> (t->>'seen')::bigint then
    outcome := 'conflict';
  elsif t ? 'firing' and not exists (select from timer r where r.id = (t->>'firing')::uuid and r.state = 'waiting') then
    outcome := 'duplicate';
  elsif c.epoch <> (t->>'epoch')::bigint and exists (select from jsonb_array_elements(v_replies) r where r->>'speaker' <> 'system') then
    outcome := 'not_owner';
  else
    outcome := 'ok';
    version := c.ver + 1;
    cause_seq := c.seq + 1;
    epoch := c.epoch + case when t ? 'owner' and t->>'owner' <> c.owner then 1 else 0 end;
    update conversation k
       set ver = version, seq = c.seq + 1 + v_count, epoch = turn_commit.epoch,
           state = case when jsonb_typeof(t->'state') = 'object' then t->'state' else k.state end,
           owner = coalesce(t->>'owner', k.owner),
           ended_at = case when c.owner = 'none' and t->>'owner' = 'bot' then null else k.ended_at end
     where k.id = v_conversation;
    insert into activity (conversation_id, seq, turn, direction, speaker, epoch, dkey, body)
    values (v_conversation, cause_seq, version, t->'cause'->>'direction', t->'cause'->>'speaker', c.epoch, t->>'key', t->'cause'->'body');
    if jsonb_array_length(t->'effects') > 0 then
      numbers := apply_effects(c, t->'effects', cause_seq, t->>'zone');
      for v_ref in select jsonb_object_keys(numbers) loop
        v_replies := replace(v_replies::text, '{{' || v_ref || '}}', numbers->>v_ref)::jsonb;
      end loop;
    end if;
    if v_count > 0 then
      insert into activity (conversation_id, seq, turn, direction, speaker, epoch, body)
      select v_conversation, cause_seq + r.ordinality, version, 'out', r.value->>'speaker', turn_commit.epoch, r.value->'body'
        from jsonb_array_elements(v_replies) with ordinality r;
      if jsonb_typeof(t->'outbox') = 'object' then
        insert into outbox (id, conversation_id, seq_from, seq_to, channel, route, class)
        select gen_random_uuid(), v_conversation, cause_seq + n, cause_seq + n, t->'outbox'->>'channel', t->'outbox'->>'route', t->'outbox'->>'class'
          from generate_series(1, v_count) n;
      end if;
    end if;
    if t->'cause'->>'direction' = 'in' then
      update outbox o set state = 'ready', due = now() where o.conversation_id = v_conversation and o.state = 'held';
    end if;
    if jsonb_array_length(t->'timersSet') > 0 then
      insert into timer (id, kind, conversation_id, subject, due, payload)
      select (r->>'id')::uuid, r->>'kind', v_conversation, r->>'subject', now() + (r->>'dueInMs')::int * interval '1 millisecond', r->'payload'
        from jsonb_array_elements(t->'timersSet') r
      on conflict do nothing;
    end if;
    if t ? 'firing' then
      update timer r set state = 'fired', settled_at = now() where r.id = (t->>'firing')::uuid;
    end if;
  end if;
  return next;
end $$;
