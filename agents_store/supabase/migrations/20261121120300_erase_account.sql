-- Erase the caller's account: every row of every table with a user_id goes, the tombstone alone stays.
-- Locks nothing by itself; a call locks the caller's balance and agents.

-- What users own, referring tables before the tables that they refer to.
create function glovebox.owned_tables() returns setof regclass
language sql stable set search_path = '' as $$
    with recursive owned as (
        select c.oid
        from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'erased_users'
    ),
    depth as (
        select o.oid, 0 as level from owned o
        union all
        select k.conrelid, d.level + 1
        from depth d
        join pg_catalog.pg_constraint k on k.confrelid = d.oid and k.contype = 'f' and k.conrelid <> k.confrelid
        join owned o on o.oid = k.conrelid
    )
    select d.oid::regclass from depth d group by d.oid order by max(d.level) desc, d.oid
$$;

-- Raises erased_users_without_live_runs while the caller has runs that are not finished, or holds.
create function glovebox.erase_account() returns void
language plpgsql security definer set search_path = '' as $$
declare
    erased_id uuid := glovebox.caller_id();
    held bigint;
    owned regclass;
begin
    -- The balance first: whoever begins or ends a live run, or sees the user first, waits here or is waited for.
    insert into public.credit_accounts (user_id) values (erased_id)
    on conflict on constraint credit_accounts_pkey do nothing;
    select a.held_microcredits into strict held
    from public.credit_accounts a where a.user_id = erased_id for update;
    if held > 0 or exists (select from public.runs r where r.user_id = erased_id and r.outcome is null) then
        raise exception 'the account has live runs'
            using errcode = 'object_in_use', constraint = 'erased_users_without_live_runs';
    end if;
    -- Then the agents, so that nobody adds a version to one that is about to go.
    perform from public.agents a where a.user_id = erased_id order by a.id for update;

    insert into public.erased_users (user_id) values (erased_id)
    on conflict on constraint erased_users_pkey
        do update set erased_at = excluded.erased_at, erased_in = excluded.erased_in;
    for owned in select glovebox.owned_tables() loop
        execute format('delete from %s where user_id = $1', owned) using erased_id;
    end loop;
end
$$;

revoke all on function glovebox.owned_tables(), glovebox.erase_account()
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.owned_tables() owner to glovebox_ledger;
alter function glovebox.erase_account() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
grant execute on function glovebox.erase_account() to glovebox_user;
