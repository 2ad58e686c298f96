-- Retention: what is past it goes, a bounded batch at a time. The server calls it as glovebox_login.
-- Takes a share lock on agents while the index is made. A call locks nothing that lives.

create index agents_deleted on public.agents (deleted_at) where status = 'deleted';

-- The ledger is not touched: it stays as long as its account.
create function glovebox.purge(p_retention_ms bigint, p_limit integer, out runs integer, out agents integer)
language plpgsql security definer set search_path = '' as $$
declare
    cutoff timestamptz := clock_timestamp() - p_retention_ms * interval '1 millisecond';
    -- Ids of runs are UUIDs of version 7, made at begin: their order is that of age, and the primary key the index.
    oldest_kept uuid := (
        lpad(to_hex(greatest(0, floor(extract(epoch from cutoff) * 1000))::bigint), 12, '0') || '00000000000000000000'
    )::uuid;
    gone record;
begin
    -- Materialized: as a plain subquery it could be run once a row, and each time find others.
    with due as materialized (
        select o.id from public.runs o
        where o.id < oldest_kept and o.finished_at < cutoff
        order by o.id limit p_limit for update skip locked
    )
    delete from public.runs r using due where r.id = due.id;
    get diagnostics runs = row_count;

    -- Dry runs that began while their account was being erased: they hold nothing, so that nothing made them wait.
    with strays as materialized (
        select s.id from public.erased_users e
        join public.runs s on s.user_id = e.user_id
        where e.erased_at > clock_timestamp() - interval '1 day' and s.created_at < e.erased_at + interval '5 minutes'
            and s.outcome is not null
            and not exists (select from public.agents a where a.user_id = s.user_id and a.id = s.agent_id)
        limit p_limit for update of s skip locked
    )
    delete from public.runs r using strays where r.id = strays.id;

    agents := 0;
    for gone in
        select a.user_id, a.id from public.agents a
        where a.status = 'deleted' and a.deleted_at < cutoff
            -- Few rows are looked at, however many are stored: those of the partial index on live runs.
            and not exists (select from public.runs l where l.outcome is null and l.agent_id = a.id)
        order by a.deleted_at limit p_limit for update skip locked
    loop
        delete from public.version_tiers t where t.user_id = gone.user_id and t.agent_id = gone.id;
        delete from public.agent_versions v where v.user_id = gone.user_id and v.agent_id = gone.id;
        delete from public.agents a where a.user_id = gone.user_id and a.id = gone.id;
        agents := agents + 1;
    end loop;
end
$$;

revoke all on function glovebox.purge(bigint, integer) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.purge(bigint, integer) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
