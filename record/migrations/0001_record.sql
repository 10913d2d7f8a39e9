-- The heart of the record: who the customer is, what was said, in which order, and what still has to be done about it.

-- Roles of least privilege, where the server lets us create them (a bank's own server may not).
do $$
begin
  if exists (select from pg_roles where rolname = current_user and (rolcreaterole or rolsuper)) then
    if not exists (select from pg_roles where rolname = 'lobby_app') then
      create role lobby_app nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'lobby_sender') then
      create role lobby_sender nologin;
    end if;
    execute format('grant lobby_app, lobby_sender to %I', current_user);
  end if;
exception
  -- Two databases of one server migrating at once: the other one created the role.
  when duplicate_object or unique_violation then null;
end $$;

create table customer (
  id uuid primary key,
  name text,
  language text check (language in ('zh', 'en')),
  tier text not null default 'standard',
  branch text,
  flags text[] not null default '{}',
  -- A fingerprint of the bank's own customer number: enough to find the customer, useless to anybody else.
  bank_ref text unique,
  status text not null default 'active' check (status in ('active', 'merged', 'erased')),
  merged_into uuid references customer,
  created_at timestamptz not null default now()
);

-- One channel account. Level 0 anonymous, 1 verified by the channel, 2 verified by the bank.
create table identity (
  id uuid primary key,
  channel text not null,
  account text not null,
  external_id text not null,
  level smallint not null default 0 check (level between 0 and 2),
  customer_id uuid references customer,
  verified_at timestamptz,
  verified_by text,
  valid_from timestamptz not null default now(),
  valid_to timestamptz
);
create unique index identity_in_force on identity (channel, account, external_id) where valid_to is null;
create index identity_customer on identity (customer_id) where customer_id is not null;

-- The channel's thread. ver, seq, owner and state change with every turn: they carry no index, so updates stay HOT.
create table conversation (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  channel text not null,
  thread_key text not null,
  ver bigint not null default 0,
  seq bigint not null default 0,
  owner text not null default 'bot',
  epoch bigint not null default 0,
  state jsonb not null default '{}',
  language text check (language in ('zh', 'en')),
  language_chosen boolean not null default false,
  identity_id uuid references identity,
  customer_id uuid references customer,
  -- The last row the customer's client has confirmed: what they were told, and what they were not.
  seen_seq bigint not null default 0,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  erased_at timestamptz,
  unique (channel, thread_key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create index conversation_identity on conversation (identity_id);
create index conversation_customer on conversation (customer_id) where customer_id is not null;

-- Inbox and record in one: every row of every conversation, in order. body is masked before it gets here.
create table activity (
  conversation_id text not null references conversation,
  seq bigint not null,
  turn bigint not null,
  direction text not null check (direction in ('in', 'out', 'event')),
  speaker text not null check (speaker in ('customer', 'bot', 'staff', 'system')),
  epoch bigint not null,
  dkey text,
  body jsonb not null,
  at timestamptz not null default now(),
  primary key (conversation_id, seq)
);
create unique index activity_dkey on activity (dkey) where dkey is not null;

-- Which conversation was whose, and since when: a customer who signs in half-way is a dated event, not a rewrite.
create table conversation_link (
  conversation_id text not null references conversation,
  seq bigint not null,
  identity_id uuid not null references identity,
  customer_id uuid references customer,
  at timestamptz not null default now(),
  primary key (conversation_id, seq)
);

-- Append-only: the latest row of a purpose is in force.
create table consent (
  id bigint generated always as identity primary key,
  conversation_id text references conversation,
  customer_id uuid references customer,
  identity_id uuid references identity,
  purpose text not null,
  action text not null check (action in ('told', 'grant', 'refuse', 'withdraw')),
  text_version text not null,
  language text not null check (language in ('zh', 'en')),
  channel text not null,
  evidence_seq bigint,
  at timestamptz not null default now()
);
create index consent_conversation on consent (conversation_id, purpose, id desc);
create index consent_customer on consent (customer_id, purpose, id desc) where customer_id is not null;

create table case_counter (
  letter text not null,
  day date not null,
  last int not null,
  primary key (letter, day)
);

-- A person was asked for, or is needed.
create table handoff (
  id uuid primary key,
  number text not null unique,
  conversation_id text not null references conversation,
  state text not null default 'queued'
    check (state in ('queued', 'offered', 'accepted', 'transferring', 'wrap_up', 'callback', 'done', 'abandoned')),
  priority smallint not null,
  codes text[] not null,
  code_seqs bigint[] not null,
  queued_at timestamptz not null default now(),
  closed_at timestamptz
);
create unique index handoff_one_open on handoff (conversation_id) where closed_at is null;

-- One row = one message on the wire, naming the rows of the record it carries. The web needs none: activity is its queue.
create table outbox (
  id uuid primary key,
  conversation_id text not null references conversation,
  seq_from bigint not null,
  seq_to bigint not null,
  channel text not null,
  route text not null,
  class text not null check (class in ('must', 'staff', 'once', 'drop')),
  state text not null default 'ready'
    check (state in ('ready', 'leased', 'unknown', 'held', 'done', 'failed', 'cancelled', 'expired')),
  due timestamptz not null default now(),
  tries int not null default 0,
  lease_token uuid,
  leased_until timestamptz,
  attempt_started timestamptz,
  outcome text,
  errcode text,
  wire_id text,
  created_at timestamptz not null default now(),
  done_at timestamptz,
  unique (conversation_id, seq_from)
);
create index outbox_due on outbox (due) where state in ('ready', 'leased');
create index outbox_held on outbox (conversation_id) where state = 'held';
create index outbox_head on outbox (conversation_id, seq_from) where state in ('ready', 'leased', 'held');

-- Something that will be a turn. Written and cancelled only inside a commit; fired by the commit of its own turn.
create table timer (
  id uuid primary key,
  kind text not null,
  conversation_id text not null references conversation,
  subject text not null,
  due timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'fired', 'cancelled')),
  payload jsonb not null default '{}',
  -- Somebody is ringing it; nobody else needs to until then. A saving: the commit of its turn decides.
  leased_until timestamptz,
  settled_at timestamptz
);
create unique index timer_one_waiting on timer (kind, subject) where state = 'waiting';
create index timer_due on timer (due) where state = 'waiting';
