-- Lets the server see which migrations a database has, so that it can refuse a schema that is not its own.
-- Locks nothing.

grant usage on schema supabase_migrations to glovebox_ledger;
grant select (version) on supabase_migrations.schema_migrations to glovebox_ledger;

create function glovebox.schema_versions() returns setof text
language sql stable security definer set search_path = '' as $$
    select version from supabase_migrations.schema_migrations order by version
$$;

revoke all on function glovebox.schema_versions() from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.schema_versions() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
