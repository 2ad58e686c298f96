-- Begin a run as before; the hold now has what its gloves may cost, and a called agent's run holds nothing of its own.
-- Locks nothing.

-- The most that one run and all that it calls may cost. The tree of calls shares the root's bounds: its calls, fetches and
-- wall time, at most three calls deep; each level may take the whole wall time.
create function glovebox.price_max(p_prices jsonb, p_limits jsonb) returns bigint
language sql immutable set search_path = '' as $$
    select (p_prices ->> 'run')::bigint * (1 + calls)
        + (p_prices ->> 'wall_ms')::bigint * wall_ms * (1 + least(calls, 3))
        + (p_prices ->> 'fetch')::bigint * fetches
        + (p_prices ->> 'glove_call')::bigint * case when fetches + calls > 0 then 500 else 0 end
    from (
        select (p_limits ->> 'wall_ms_max')::bigint as wall_ms, coalesce((p_limits ->> 'calls_max')::bigint, 0) as calls,
            coalesce((p_limits ->> 'fetches_max')::bigint, 0) as fetches
    ) as l
$$;

drop function glovebox.begin_run(text, uuid, uuid, integer, boolean, json, bigint, glovebox.run_wall, text[], uuid);
create function glovebox.begin_run(
    p_claims text, p_run_id uuid, p_agent_id uuid, p_version integer, p_test boolean, p_inputs json, p_seed bigint,
    p_wall glovebox.run_wall, p_wall_missing text[], p_server_id uuid, p_parent_run_id uuid,
    out status text, out revision integer, out hold_microcredits bigint, out price_microcredits_max bigint,
    out available_microcredits bigint, out started_at timestamptz
)
language plpgsql security invoker set search_path = '' as $$
declare
    current record;
    violated text;
begin
    -- For this transaction only. The claim of its own would overrule the claims, so it must be empty.
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    select a.user_id, a.agent_name, a.current_version, t.resolved_tier, v.limits,
        (
            select jsonb_object_agg(p.name, p.amount_microcredits)
            from public.prices p where p.name in ('run', 'wall_ms', 'fetch', 'glove_call')
        ) as prices,
        (select c.available_microcredits from public.credit_accounts c where c.user_id = a.user_id) as available
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
    if p_parent_run_id is not null and not exists (
        select from public.runs r where r.id = p_parent_run_id and r.state = 'executing' and r.test = p_test
    ) then
        status := 'parent_ended';
        return;
    end if;

    price_microcredits_max := glovebox.price_max(current.prices, current.limits);
    hold_microcredits := case when p_test or p_parent_run_id is not null then 0 else price_microcredits_max end;

    if hold_microcredits > 0 then
        available_microcredits := current.available;
        if available_microcredits is null then
            perform glovebox.ensure_account();
            select a.available_microcredits into strict available_microcredits
            from public.credit_accounts a where a.user_id = current.user_id;
        end if;
        if available_microcredits < hold_microcredits then
            status := 'insufficient';
            return;
        end if;
    end if;

    begin
        insert into public.runs (id, user_id, agent_id, agent_name, version, tier, wall, wall_missing, test, state,
            inputs, seed, server_id, prices, price_microcredits_max, hold_microcredits, started_at, parent_run_id)
        values (p_run_id, current.user_id, p_agent_id, current.agent_name, p_version, current.resolved_tier, p_wall,
            p_wall_missing, p_test, 'executing', p_inputs, p_seed, p_server_id, current.prices,
            begin_run.price_microcredits_max, begin_run.hold_microcredits, now(), p_parent_run_id)
        returning runs.revision, runs.started_at into begin_run.revision, begin_run.started_at;
        if hold_microcredits > 0 then
            perform glovebox.hold_credits(p_run_id, hold_microcredits);
        end if;
        status := 'begun';
    exception when check_violation then
        -- Others held it between the look above and the hold: the run is undone, and nothing is logged as an error.
        get stacked diagnostics violated = constraint_name;
        if violated <> 'credit_accounts_available_not_negative' then
            raise;
        end if;
        select a.available_microcredits into strict available_microcredits
        from public.credit_accounts a where a.user_id = current.user_id;
        status := 'insufficient';
    end;
end
$$;

revoke all on function glovebox.price_max(jsonb, jsonb),
    glovebox.begin_run(text, uuid, uuid, integer, boolean, json, bigint, glovebox.run_wall, text[], uuid, uuid)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.price_max(jsonb, jsonb) to glovebox_user;
