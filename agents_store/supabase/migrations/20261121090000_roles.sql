-- The roles that the server becomes, and the schema of our functions, which no API exposes.
-- Locks nothing that a running server uses. Needs CREATEROLE, not superuser.

do $$
declare
    name text;
begin
    -- glovebox_user: acts for one user, under RLS, for one transaction. glovebox_dry: the same, and only reads.
    -- glovebox_ledger: owns the functions that move credits; nobody logs in as it, and the server cannot become it.
    foreach name in array array['glovebox_user', 'glovebox_dry', 'glovebox_ledger'] loop
        if to_regrole(name) is null then
            execute format('create role %I nologin', name);
        end if;
    end loop;
    -- To give functions to glovebox_ledger one must be a member; since PostgreSQL 16 its creator is not one by itself.
    if not pg_has_role(current_user, 'glovebox_ledger', 'usage') then
        execute format('grant glovebox_ledger to %I', current_user);
    end if;
end
$$;

create schema glovebox;
revoke all on schema glovebox from public, anon, authenticated, service_role;
grant usage on schema glovebox to glovebox_user, glovebox_dry, glovebox_ledger;
grant usage on schema public to glovebox_user, glovebox_dry, glovebox_ledger;

-- Parsed now, so that whoever calls it needs no right on Supabase's schema `auth`.
create function glovebox.caller_id() returns uuid
language sql stable set search_path = ''
return auth.uid();

revoke all on function glovebox.caller_id() from public, anon, authenticated, service_role;
grant execute on function glovebox.caller_id() to glovebox_user, glovebox_dry, glovebox_ledger;
