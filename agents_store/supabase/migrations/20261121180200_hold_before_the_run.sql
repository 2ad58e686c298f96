-- Begin a run as before, its hold first: where nothing can be held, nothing of the run has to be undone, so that no run
-- pays for a subtransaction.
-- Locks nothing.

-- Hold credits for a run of the caller: null once they are held, else what is available instead of them.
drop function glovebox.hold_credits(uuid, bigint);
create function glovebox.hold_credits(p_run_id uuid, p_amount_microcredits bigint) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    caller constant uuid := glovebox.caller_id();
    available bigint;
begin
    -- Whoever else holds for this user waits from here on, and then sees what is left.
    select a.available_microcredits into available
    from public.credit_accounts a where a.user_id = caller for no key update;
    if not found then  -- it was erased at this moment
        raise exception 'no credit account for this entry'
            using errcode = 'foreign_key_violation', constraint = 'credit_entries_of_account';
    end if;
    if available < p_amount_microcredits then
        return available;
    end if;
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, run_id,
        idempotency_key)
    values (caller, 'hold', p_amount_microcredits, -p_amount_microcredits, p_amount_microcredits, p_run_id,
        'hold:' || p_run_id);
    return null;
end
$$;
revoke all on function glovebox.hold_credits(uuid, bigint) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.hold_credits(uuid, bigint) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
grant execute on function glovebox.hold_credits(uuid, bigint) to glovebox_user;

create or replace function glovebox.begin_run(
    p_claims text, p_run_id uuid, p_agent_id uuid, p_version integer, p_test boolean, p_inputs json, p_seed bigint,
    p_wall glovebox.run_wall, p_wall_missing text[], p_server_id uuid, p_parent_run_id uuid,
    out status text, out revision integer, out hold_microcredits bigint, out price_microcredits_max bigint,
    out available_microcredits bigint, out started_at timestamptz
)
language plpgsql security invoker set search_path = '' as $$
declare
    current record;
begin
    -- For this transaction only. The claim of its own would overrule the claims, so it must be empty.
    if current_user <> 'glovebox_user' then
        perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
            set_config('request.jwt.claim.sub', '', true);
    end if;

    select a.user_id, a.agent_name, a.current_version, t.resolved_tier, v.limits,
        (
            select jsonb_object_agg(p.name, p.amount_microcredits)
            from public.prices p where p.name in ('run', 'wall_ms', 'fetch', 'glove_call')
        ) as prices,
        exists (select from public.credit_accounts c where c.user_id = a.user_id) as has_account
    into current
    from public.agents a
    join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id and v.version = a.current_version
    join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
    where a.id = p_agent_id and a.status = 'active';
    if not found then
        status := 'unknown_agent';
        return;
    elsif current.current_version <> p_version then
        status := 'version_moved';
        return;
    end if;
    if p_parent_run_id is not null then
        if not exists (
            select from public.runs r where r.id = p_parent_run_id and r.state = 'executing' and r.test = p_test
        ) then
            status := 'parent_ended';
            return;
        end if;
    end if;

    price_microcredits_max := glovebox.price_max(current.prices, current.limits);
    hold_microcredits := case when p_test or p_parent_run_id is not null then 0 else price_microcredits_max end;
    if hold_microcredits > 0 then
        if not current.has_account then
            perform glovebox.ensure_account();
        end if;
        available_microcredits := glovebox.hold_credits(p_run_id, hold_microcredits);
        if available_microcredits is not null then
            status := 'insufficient';
            return;
        end if;
    end if;

    insert into public.runs (id, user_id, agent_id, agent_name, version, tier, wall, wall_missing, test, state,
        inputs, seed, server_id, prices, price_microcredits_max, hold_microcredits, started_at, parent_run_id)
    values (p_run_id, current.user_id, p_agent_id, current.agent_name, p_version, current.resolved_tier, p_wall,
        p_wall_missing, p_test, 'executing', p_inputs, p_seed, p_server_id, current.prices,
        begin_run.price_microcredits_max, begin_run.hold_microcredits, now(), p_parent_run_id)
    returning runs.revision, runs.started_at into begin_run.revision, begin_run.started_at;
    status := 'begun';
end
$$;
