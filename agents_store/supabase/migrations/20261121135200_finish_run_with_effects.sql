-- Finish a run as before, with its effects, what its gloves cost, and what it called.
-- Locks nothing.

drop function glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json,
    jsonb, integer, integer, bigint, bigint, json);
drop function glovebox.run_price(jsonb, bigint, bigint);

-- What a run costs at the prices of its begin, never more than what was held for it.
-- p_glove_calls: how many of each priced kind, null for none. p_called_microcredits: what the runs that it called cost.
create function glovebox.run_price(
    p_prices jsonb, p_wall_ms bigint, p_glove_calls jsonb, p_called_microcredits numeric, p_max_microcredits bigint
) returns bigint
language sql immutable set search_path = '' as $$
    -- numeric, so that no duration can leave bigint and keep a run from being finished
    select least(
        (p_prices ->> 'run')::numeric + (p_prices ->> 'wall_ms')::numeric * p_wall_ms + p_called_microcredits
            + case when p_glove_calls is null then 0 else (
                select coalesce(sum(coalesce((p_prices ->> c.key)::numeric, 0) * c.value::numeric), 0)
                from jsonb_each_text(p_glove_calls) as c
            ) end,
        p_max_microcredits
    )::bigint
$$;

create function glovebox.finish_run(
    p_claims text, p_run_id uuid, p_revision integer, p_state glovebox.run_state,
    p_outcome glovebox.run_outcome, p_reason text, p_billable boolean,
    p_result json, p_error jsonb, p_wall_ms integer, p_cpu_ms integer, p_peak_memory_bytes bigint,
    p_output_bytes bigint, p_logs json, p_effects json, p_glove_calls jsonb, p_tier text, p_wall glovebox.run_wall,
    p_wall_missing text[], p_complete boolean, p_replayable boolean,
    out finished boolean, out charge_microcredits bigint, out would_charge_microcredits bigint
)
language plpgsql security invoker set search_path = '' as $$
declare
    run record;
    called numeric := 0;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    if p_glove_calls ? 'call' then
        select coalesce(sum(r.charge_microcredits), 0) into called
        from public.runs r where r.user_id = glovebox.caller_id() and r.parent_run_id = p_run_id;
    end if;

    update public.runs r
    set state = p_state, revision = r.revision + 1, outcome = p_outcome, reason = p_reason, result = p_result,
        error = p_error, wall_ms = p_wall_ms, cpu_ms = p_cpu_ms, peak_memory_bytes = p_peak_memory_bytes,
        output_bytes = p_output_bytes, finished_at = clock_timestamp(), glove_calls = p_glove_calls,
        tier = coalesce(p_tier, r.tier), wall = coalesce(p_wall, r.wall),
        wall_missing = coalesce(p_wall_missing, r.wall_missing), complete = p_complete, replayable = p_replayable,
        charge_microcredits = case when p_billable and not r.test
            then glovebox.run_price(r.prices, p_wall_ms, p_glove_calls, called, r.price_microcredits_max) else 0 end
    where r.id = p_run_id and r.revision = p_revision and r.state = 'executing'
    returning r.user_id, r.test, r.hold_microcredits, r.charge_microcredits, r.prices, r.price_microcredits_max into run;
    finished := found;
    if not finished then
        return;
    end if;
    charge_microcredits := run.charge_microcredits;
    would_charge_microcredits := case when p_billable and run.test
        then glovebox.run_price(run.prices, p_wall_ms, p_glove_calls, called, run.price_microcredits_max)
        else run.charge_microcredits end;

    if p_logs is not null then
        insert into public.run_logs (user_id, run_id, seq, at_ms, message, fields)
        select run.user_id, p_run_id, l.seq, l.at_ms, l.message, l.fields
        from json_to_recordset(p_logs) as l (seq integer, at_ms integer, message text, fields jsonb);
    end if;
    if p_effects is not null then
        insert into public.run_effects
            (user_id, run_id, seq, glove, request, response, error, status, at_ms, duration_ms)
        select run.user_id, p_run_id, e.seq, e.glove, e.request, e.response, e.error, e.status, e.at_ms, e.duration_ms
        from json_to_recordset(p_effects) as e (seq integer, glove text, request json, response json, error jsonb,
            status text, at_ms integer, duration_ms integer)
        -- Claimed before it was performed.
        on conflict on constraint run_effects_pkey do update
        set response = excluded.response, error = excluded.error, status = excluded.status,
            duration_ms = excluded.duration_ms;
    end if;

    if run.hold_microcredits > 0 then
        perform glovebox.close_own_hold(p_run_id, case when p_billable then charge_microcredits end);
    end if;
end
$$;

revoke all on function glovebox.run_price(jsonb, bigint, jsonb, numeric, bigint),
    glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json, jsonb,
        integer, integer, bigint, bigint, json, json, jsonb, text, glovebox.run_wall, text[], boolean, boolean)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.run_price(jsonb, bigint, jsonb, numeric, bigint) to glovebox_user;
