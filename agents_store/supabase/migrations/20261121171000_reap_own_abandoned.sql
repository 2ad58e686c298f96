-- A server ends what it gave up on only where it began that itself: an idempotency key keeps a run's id, so that another
-- server may have begun the same run meanwhile, and executes it.
-- Locks nothing by itself; a call locks at most p_limit runs and their users' balances.

drop function glovebox.reap_runs(integer, uuid[]);
-- p_abandoned: runs of the living server p_server_id whose begin got no answer, so that nobody will finish them.
create function glovebox.reap_runs(p_limit integer, p_abandoned uuid[], p_server_id uuid) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    run record;
    reaped integer := 0;
begin
    for run in
        select r.id, r.user_id, r.hold_microcredits
        from public.runs r
        where r.outcome is null and (
            (r.id = any (p_abandoned) and r.server_id = p_server_id) or not exists (
                select from public.server_leases l
                where l.server_id = r.server_id and l.expires_at > clock_timestamp()
            )
        )
        -- By user, so that two reapers never wait for each other's balances in a circle.
        order by r.user_id, r.id
        limit p_limit
        for update of r skip locked
    loop
        update public.runs r
        set state = 'failed', revision = r.revision + 1, outcome = 'failed', reason = 'lost',
            finished_at = clock_timestamp()
        where r.id = run.id;
        if run.hold_microcredits > 0 then
            perform glovebox.close_hold(run.user_id, run.id, null);
        end if;
        reaped := reaped + 1;
    end loop;
    -- No lease and an expired one mean the same.
    delete from public.server_leases where expires_at <= clock_timestamp();
    return reaped;
end
$$;

revoke all on function glovebox.reap_runs(integer, uuid[], uuid) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.reap_runs(integer, uuid[], uuid) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;

-- Also forgets a batch of idempotency keys that expired.
create or replace function glovebox.api_reap_runs(p json) returns text
language plpgsql set search_path = '' as $$
begin
    perform glovebox.purge_keys((p ->> 'keys_max')::integer);
    return glovebox.reap_runs(
        (p ->> 'runs_max')::integer, array(select json_array_elements_text(p -> 'abandoned')::uuid),
        (p ->> 'server_id')::uuid
    )::text;
end
$$;
