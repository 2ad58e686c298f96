-- Calls of the Data API on runs. Each runs as glovebox_user, under RLS as the user.
-- Locks nothing.

create function glovebox.api_begin_run(p json) returns text
language sql set search_path = '' as $$
    select to_json(b)::text
    from glovebox.begin_run(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid,
        p_agent_id => (p ->> 'agent_id')::uuid, p_version => (p ->> 'version')::integer,
        p_test => (p ->> 'test')::boolean, p_inputs => (p ->> 'inputs')::json, p_seed => (p ->> 'seed')::bigint,
        p_wall => (p ->> 'wall')::glovebox.run_wall,
        p_wall_missing => array(select json_array_elements_text(p -> 'wall_missing')),
        p_server_id => (p ->> 'server_id')::uuid, p_parent_run_id => (p ->> 'parent_run_id')::uuid
    ) b
$$;

-- Only for whom the call acts: nobody takes another user's dry runs.
create function glovebox.take_own_dry_run(
    p_per_hour_max integer, out admitted boolean, out remaining integer, out reset_ms bigint
)
language sql security definer set search_path = '' as $$
    select t.admitted, t.remaining, t.reset_ms
    from glovebox.take_dry_run(p_user_id => glovebox.caller_id(), p_per_hour_max => p_per_hour_max) t
$$;

-- The user's rate first: where it is spent, begin_run is asked to begin nothing.
create function glovebox.api_begin_dry_run(p json) returns text
language sql set search_path = '' as $$
    select json_build_object(
        'status', case when r.admitted then b.status else 'too_many_dry_runs' end, 'revision', b.revision,
        'hold_microcredits', b.hold_microcredits, 'price_microcredits_max', b.price_microcredits_max,
        'available_microcredits', b.available_microcredits, 'started_at', b.started_at,
        'remaining', r.remaining, 'reset_ms', r.reset_ms
    )::text
    from glovebox.take_own_dry_run((p ->> 'dry_runs_per_hour_max')::integer) r
    cross join lateral glovebox.begin_run(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid,
        p_agent_id => case when r.admitted then (p ->> 'agent_id')::uuid end, p_version => (p ->> 'version')::integer,
        p_test => (p ->> 'test')::boolean, p_inputs => (p ->> 'inputs')::json, p_seed => (p ->> 'seed')::bigint,
        p_wall => (p ->> 'wall')::glovebox.run_wall,
        p_wall_missing => array(select json_array_elements_text(p -> 'wall_missing')),
        p_server_id => (p ->> 'server_id')::uuid, p_parent_run_id => (p ->> 'parent_run_id')::uuid
    ) b
$$;

create function glovebox.api_take_dry_run(p json) returns text
language sql set search_path = '' as $$
    select to_json(r)::text
    from glovebox.take_own_dry_run((p ->> 'per_hour_max')::integer) r
$$;

create function glovebox.api_finish_run(p json) returns text
language sql set search_path = '' as $$
    select to_json(f)::text
    from glovebox.finish_run(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid,
        p_revision => (p ->> 'revision')::integer, p_state => (p ->> 'state')::glovebox.run_state,
        p_outcome => (p ->> 'outcome')::glovebox.run_outcome, p_reason => p ->> 'reason',
        p_billable => (p ->> 'billable')::boolean, p_result => (p ->> 'result')::json,
        p_error => (p ->> 'error')::jsonb, p_wall_ms => (p ->> 'wall_ms')::integer,
        p_cpu_ms => (p ->> 'cpu_ms')::integer, p_peak_memory_bytes => (p ->> 'peak_memory_bytes')::bigint,
        p_output_bytes => (p ->> 'output_bytes')::bigint, p_logs => (p ->> 'logs')::json,
        p_effects => (p ->> 'effects')::json, p_glove_calls => (p ->> 'glove_calls')::jsonb, p_tier => p ->> 'tier',
        p_wall => (p ->> 'wall')::glovebox.run_wall,
        p_wall_missing => case when p ->> 'wall_missing' is not null
            then array(select json_array_elements_text(p -> 'wall_missing')) end,
        p_complete => (p ->> 'complete')::boolean, p_replayable => (p ->> 'replayable')::boolean
    ) f
$$;

create function glovebox.api_append_logs(p json) returns text
language sql set search_path = '' as $$
    select to_json(glovebox.append_logs(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid,
        p_revision => (p ->> 'revision')::integer, p_logs => (p ->> 'logs')::json
    ))::text
$$;

create function glovebox.api_request_cancel(p json) returns text
language sql set search_path = '' as $$
    select to_json(c)::text
    from glovebox.request_cancel(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid
    ) c
$$;

grant execute on function
    glovebox.begin_run(text, uuid, uuid, integer, boolean, json, bigint, glovebox.run_wall, text[], uuid, uuid),
    glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json, jsonb,
        integer, integer, bigint, bigint, json, json, jsonb, text, glovebox.run_wall, text[], boolean, boolean),
    glovebox.append_logs(text, uuid, integer, json), glovebox.request_cancel(text, uuid)
    to glovebox_user;
revoke all on function glovebox.take_own_dry_run(integer) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.take_own_dry_run(integer) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
grant execute on function glovebox.take_own_dry_run(integer) to glovebox_user;
revoke all on function glovebox.api_begin_run(json), glovebox.api_begin_dry_run(json),
    glovebox.api_take_dry_run(json), glovebox.api_finish_run(json), glovebox.api_append_logs(json),
    glovebox.api_request_cancel(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_begin_run(json), glovebox.api_begin_dry_run(json),
    glovebox.api_take_dry_run(json), glovebox.api_finish_run(json), glovebox.api_append_logs(json),
    glovebox.api_request_cancel(json)
    to glovebox_user;
