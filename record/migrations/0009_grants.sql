-- What the roles of least privilege may do. The tables say it themselves, in their comments, so that a new table needs
-- no change here: `append-only…` may be read and added to, `disposable…` may also be deleted from, and every other table
-- may be read, added to and changed. Rows of the record itself are never deleted by the service.

comment on table activity is 'append-only: what was said stays said';
comment on table consent is 'append-only: the latest row of a purpose is in force';
comment on table conversation_link is 'append-only: whose a conversation was, and since when';

-- Gives each role exactly this, and takes back whatever else it had. Runs after every migration, and does nothing for a
-- role the server does not have.
create function apply_grants() returns void
language plpgsql as $$
declare
  t record;
begin
  if to_regrole('lobby_app') is not null then
    execute format('grant usage on schema %I to lobby_app', current_schema());
    for t in
      select c.relname, coalesce(obj_description(c.oid, 'pg_class'), '') as says
        from pg_class c
       where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
         and pg_has_role(current_user, c.relowner, 'usage')
    loop
      execute format('revoke all on table %I from lobby_app', t.relname);
      execute format('grant %s on table %I to lobby_app',
                     case when t.relname = 'migration' then 'select'
                          when t.says like 'append-only%' then 'select, insert'
                          when t.says like 'disposable%' then 'select, insert, update, delete'
                          else 'select, insert, update' end,
                     t.relname);
    end loop;
    execute format('grant usage on all sequences in schema %I to lobby_app', current_schema());
  end if;
  -- The sender takes messages from the outbox and reads the rows they carry; nothing else.
  if to_regrole('lobby_sender') is not null then
    execute format('grant usage on schema %I to lobby_sender', current_schema());
    execute format('revoke all on all tables in schema %I from lobby_sender', current_schema());
    grant select, update on outbox to lobby_sender;
    grant select on activity, conversation to lobby_sender;
  end if;
end $$;
