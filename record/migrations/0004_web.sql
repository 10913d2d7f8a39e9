-- The web channel: which browsers may come back, what was issued to them, and the files customers send.

-- An anonymous visitor, known by the credential their browser keeps. Forgotten: the credential opens nothing any more.
create table dl_visitor (
  user_id text primary key check (user_id ~ '^dl_[A-Za-z0-9_-]{1,64}$'),
  created_at timestamptz not null default now(),
  forgotten_at timestamptz
);

-- A token family: everything issued to one browser for one conversation, revoked together.
-- The conversation may not have begun yet, so this is no foreign key.
create table dl_session (
  family uuid primary key,
  conversation_id text not null,
  user_id text not null,
  created_at timestamptz not null default now(),
  -- When the last token of the family ends.
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index dl_session_conversation on dl_session (conversation_id);
create index dl_session_user on dl_session (user_id);
create index dl_session_expiry on dl_session (expires_at);

-- A token that was refreshed lives on for a minute only: the new one may not have arrived.
create table dl_token_ended (
  jti uuid primary key,
  family uuid not null references dl_session on delete cascade,
  ends_at timestamptz not null
);
create index dl_token_ended_family on dl_token_ended (family);

-- A file a customer sent, under a random name. seq is the message that carried it; without one nobody refers to it.
create table upload (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  conversation_id text not null references conversation,
  seq bigint,
  name text not null check (length(name) between 1 and 200),
  content_type text not null,
  bytes bytea not null check (octet_length(bytes) <= 20971520),
  size int not null generated always as (octet_length(bytes)) stored,
  created_at timestamptz not null default now()
);
-- Images and PDFs are compressed already.
alter table upload alter column bytes set storage external;
create index upload_conversation on upload (conversation_id);
create index upload_unclaimed on upload (created_at) where seq is null;

comment on table dl_visitor is 'disposable: a visitor who never spoke goes after a day';
comment on table dl_session is 'disposable: a family goes a day after its last token ended';
comment on table dl_token_ended is 'disposable: goes with its family';
comment on table upload is 'disposable: a file no message carried goes after a day';

-- Begins a web conversation with the identity it belongs to, or says whose it is. No turn.
create function web_begin(p_conversation text, p_user text) returns text
language plpgsql volatile as $$
declare
  v_identity identity;
  c conversation;
begin
  select * into c from conversation k where k.id = p_conversation;
  if not found then
    insert into identity (id, channel, account, external_id) values (gen_random_uuid(), 'web', 'lobby', p_user)
      on conflict (channel, account, external_id) where valid_to is null do nothing;
    select * into v_identity from identity i
     where i.channel = 'web' and i.account = 'lobby' and i.external_id = p_user and i.valid_to is null;
    -- A visitor who has signed in is the same customer in every conversation they begin.
    insert into conversation (id, channel, thread_key, identity_id, customer_id)
    values (p_conversation, 'web', p_conversation, v_identity.id, v_identity.customer_id)
      on conflict do nothing;
    if found then
      insert into conversation_link (conversation_id, seq, identity_id, customer_id)
      values (p_conversation, 0, v_identity.id, v_identity.customer_id);
      return 'begun';
    end if;
    select * into c from conversation k where k.id = p_conversation;
  end if;
  if c.erased_at is not null then
    return 'gone';
  end if;
  if exists (select from identity i where i.id = c.identity_id and i.channel = 'web' and i.external_id = p_user) then
    return 'known';
  end if;
  return 'foreign';
end $$;
