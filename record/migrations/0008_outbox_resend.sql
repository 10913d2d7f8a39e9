-- What an administrator did about a message that did not arrive, and how it stood until then.
create table outbox_action (
  id bigint generated always as identity primary key,
  outbox_id uuid not null references outbox,
  action text not null check (action in ('resend', 'cancel')),
  by text not null check (by <> ''),
  at timestamptz not null default now(),
  state text not null,
  tries int not null,
  errcode text
);
create index outbox_action_message on outbox_action (outbox_id, id desc);
-- What is looked at: few, beside all that arrived.
create index outbox_undelivered on outbox (created_at) where state in ('failed', 'unknown', 'held');

comment on table outbox_action is 'append-only: who sent or gave up what';
