-- Which servers live, by the names that their containers carry: what carries another one was left by a dead server.
-- The server calls it as glovebox_login. Locks nothing.

-- Servers of several databases may share one Docker engine, so a name begins with what only this database has. A copy
-- of the database has another: it must not end the containers of the original.
create function glovebox.live_servers() returns text[]
language sql security definer set search_path = '' as $$
    select coalesce(array_agg(pg_catalog.md5(c.system_identifier || '/' || d.oid) || '.' || l.server_id), '{}')
    from pg_catalog.pg_control_system() c
    cross join pg_catalog.pg_database d
    cross join public.server_leases l
    where d.datname = pg_catalog.current_database() and l.expires_at > pg_catalog.clock_timestamp()
$$;

revoke all on function glovebox.live_servers() from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.live_servers() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
