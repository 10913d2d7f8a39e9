-- What the service itself has to remember: which processes are alive, and the keys that must outlive a change of DATA_KEY.

create table instance (
  boot_id uuid primary key,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

-- Random keys, wrapped by a key derived from DATA_KEY. The index key makes thread keys; a new one would lose every thread.
create table wrapped_key (
  purpose text primary key,
  key_id text not null,
  wrapped text not null,
  created_at timestamptz not null default now()
);

comment on table instance is 'disposable: processes come and go';
