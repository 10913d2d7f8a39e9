-- Several turns of different conversations in one statement and one commit: under load they share the wait for the disk.

-- Sorted by conversation, so that two batches that meet cannot wait for each other. `place` is a turn's place in the list, from 0.
create function turn_commits(p_turns jsonb)
returns table (place int, outcome text, version bigint, cause_seq bigint, at timestamptz, numbers jsonb, epoch bigint)
language plpgsql volatile as $$
declare
  t jsonb;
  n bigint;
begin
  for t, n in
    select e.value, e.ordinality from jsonb_array_elements(p_turns) with ordinality e order by e.value->>'conversationId' collate "C"
  loop
    return query select (n - 1)::int, r.outcome, r.version, r.cause_seq, r.at, r.numbers, r.epoch from turn_commit(t) r;
  end loop;
end $$;
