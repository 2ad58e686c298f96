-- Finish a run in one statement: fence, outcome, logs, and last the credits. The server calls it as glovebox_login.
-- Locks nothing.

-- What a run costs at the prices of its begin, never more than what was held for it.
create function glovebox.run_price(p_prices jsonb, p_wall_ms bigint, p_max_microcredits bigint) returns bigint
language sql immutable set search_path = '' as $$
    -- numeric, so that no duration can leave bigint and keep a run from being finished
    select least((p_prices ->> 'run')::numeric + (p_prices ->> 'wall_ms')::numeric * p_wall_ms, p_max_microcredits)::bigint
$$;

create function glovebox.finish_run(
    p_claims text, p_run_id uuid, p_revision integer, p_state glovebox.run_state,
    p_outcome glovebox.run_outcome, p_reason text, p_billable boolean,
    p_result json, p_error jsonb, p_wall_ms integer, p_cpu_ms integer, p_peak_memory_bytes bigint,
    p_output_bytes bigint, p_logs json,
    out finished boolean, out charge_microcredits bigint, out would_charge_microcredits bigint
)
language plpgsql security invoker set search_path = '' as $$
declare
    run record;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    update public.runs r
    set state = p_state, revision = r.revision + 1, outcome = p_outcome, reason = p_reason, result = p_result,
        error = p_error, wall_ms = p_wall_ms, cpu_ms = p_cpu_ms, peak_memory_bytes = p_peak_memory_bytes,
        output_bytes = p_output_bytes, finished_at = clock_timestamp(),
        charge_microcredits = case when p_billable and not r.test
            then glovebox.run_price(r.prices, p_wall_ms, r.price_microcredits_max) else 0 end
    where r.id = p_run_id and r.revision = p_revision and r.state = 'executing'
    returning r.user_id, r.test, r.hold_microcredits, r.charge_microcredits, r.prices, r.price_microcredits_max into run;
    finished := found;
    if not finished then
        return;
    end if;
    charge_microcredits := run.charge_microcredits;
    would_charge_microcredits := case when p_billable and run.test
        then glovebox.run_price(run.prices, p_wall_ms, run.price_microcredits_max) else run.charge_microcredits end;

    if p_logs is not null then
        insert into public.run_logs (user_id, run_id, seq, at_ms, message, fields)
        select run.user_id, p_run_id, l.seq, l.at_ms, l.message, l.fields
        from json_to_recordset(p_logs) as l (seq integer, at_ms integer, message text, fields jsonb);
    end if;

    if run.hold_microcredits > 0 then
        perform glovebox.close_own_hold(p_run_id, case when p_billable then charge_microcredits end);
    end if;
end
$$;

revoke all on function glovebox.run_price(jsonb, bigint, bigint),
    glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json, jsonb,
        integer, integer, bigint, bigint, json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.run_price(jsonb, bigint, bigint) to glovebox_user;
