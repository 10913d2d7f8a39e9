-- Customers the bank has told us about, and what this database is for.

-- Facts about the whole database. `demo` marks one that may be emptied and loaded again.
create table fact (
  key text primary key,
  value text not null,
  at timestamptz not null default now()
);

-- Ties a conversation to the customer who proved who they are: a dated row in the conversation itself, so that
-- everybody who reads it later sees from where on it is known whose it is. Returns the seq of that row;
-- null when the conversation is not there, and -1 when it is another customer's already.
create function link_conversation(p_conversation text, p_identity uuid, p_customer uuid) returns bigint
language plpgsql volatile as $$
declare
  c conversation;
begin
  select * into c from conversation k where k.id = p_conversation for no key update;
  if not found or c.erased_at is not null then
    return null;
  end if;
  if c.customer_id = p_customer then
    return c.seq;
  end if;
  if c.customer_id is not null then
    return -1;
  end if;
  update conversation k
     set customer_id = p_customer, identity_id = p_identity, ver = k.ver + 1, seq = k.seq + 1
   where k.id = p_conversation;
  insert into activity (conversation_id, seq, turn, direction, speaker, epoch, body)
  values (p_conversation, c.seq + 1, c.ver + 1, 'event', 'system', c.epoch,
          '{"type": "event", "name": "lobby/customer-known"}');
  insert into conversation_link (conversation_id, seq, identity_id, customer_id)
  values (p_conversation, c.seq + 1, p_identity, p_customer);
  return c.seq + 1;
end $$;
