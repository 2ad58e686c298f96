-- Reaps as before, also where the database's clock was set back: a dead server's lease would otherwise live as much longer.
-- Locks nothing by itself; a call locks at most p_limit runs and their users' balances.

-- p_abandoned: runs of the living server p_server_id whose begin got no answer, so that nobody will finish them.
create or replace function glovebox.reap_runs(p_limit integer, p_abandoned uuid[], p_server_id uuid) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    run record;
    reaped integer := 0;
begin
    -- Leases that nobody can have been given: the clock was set back. They last no longer than a new one.
    update public.server_leases l set expires_at = clock_timestamp() + interval '15 seconds'
    where l.server_id in (
        select s.server_id from public.server_leases s
        where s.expires_at > clock_timestamp() + interval '15 seconds'
        for update skip locked
    );

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
