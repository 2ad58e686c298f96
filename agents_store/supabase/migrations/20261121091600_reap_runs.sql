-- End what dead servers left: the run failed, lost; the hold released. The server calls it as glovebox_login.
-- Locks nothing by itself; a call locks at most p_limit runs and their users' balances.

-- p_abandoned: runs of a live server whose begin got no answer, so that nobody will finish them.
create function glovebox.reap_runs(p_limit integer, p_abandoned uuid[]) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    run record;
    reaped integer := 0;
begin
    for run in
        select r.id, r.user_id, r.hold_microcredits
        from public.runs r
        where r.outcome is null and (
            r.id = any (p_abandoned) or not exists (
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

revoke all on function glovebox.reap_runs(integer, uuid[]) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.reap_runs(integer, uuid[]) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
