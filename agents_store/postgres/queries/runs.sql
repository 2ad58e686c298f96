-- Runs. `begin_run` and `finish_run` become glovebox_user by themselves; the others run as it.

-- name: begin_run
select status, revision, hold_microcredits, price_microcredits_max, available_microcredits, started_at
from glovebox.begin_run(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_agent_id => %(agent_id)s, p_version => %(version)s,
    p_test => %(test)s, p_inputs => %(inputs)s, p_seed => %(seed)s, p_wall => %(wall)s,
    p_wall_missing => %(wall_missing)s, p_server_id => %(server_id)s, p_parent_run_id => %(parent_run_id)s
);

-- name: begin_dry_run
-- In the same statement, the user's rate first: where it is spent, begin_run is asked to begin nothing.
select case when r.admitted then b.status else 'too_many_dry_runs' end as status, b.revision, b.hold_microcredits,
    b.price_microcredits_max, b.available_microcredits, b.started_at, r.remaining, r.reset_ms
from glovebox.take_dry_run(p_user_id => %(user_id)s, p_per_hour_max => %(dry_runs_per_hour_max)s) r
cross join lateral glovebox.begin_run(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_agent_id => case when r.admitted then %(agent_id)s::uuid end,
    p_version => %(version)s, p_test => %(test)s, p_inputs => %(inputs)s, p_seed => %(seed)s, p_wall => %(wall)s,
    p_wall_missing => %(wall_missing)s, p_server_id => %(server_id)s, p_parent_run_id => %(parent_run_id)s
) b;

-- name: finish_run
select finished, charge_microcredits, would_charge_microcredits
from glovebox.finish_run(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_revision => %(revision)s, p_state => %(state)s,
    p_outcome => %(outcome)s, p_reason => %(reason)s, p_billable => %(billable)s, p_result => %(result)s,
    p_error => %(error)s, p_wall_ms => %(wall_ms)s, p_cpu_ms => %(cpu_ms)s,
    p_peak_memory_bytes => %(peak_memory_bytes)s, p_output_bytes => %(output_bytes)s, p_logs => %(logs)s,
    p_effects => %(effects)s, p_glove_calls => %(glove_calls)s, p_tier => %(tier)s, p_wall => %(wall)s,
    p_wall_missing => %(wall_missing)s, p_complete => %(complete)s, p_replayable => %(replayable)s
);

-- name: list_runs
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    null::json as inputs, null::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at, parent_run_id, complete, replayable
from public.runs
where id < %(before)s
order by id desc
limit %(rows_max)s;

-- Never prepared: its conditions are constants when it is planned, so that each combination finds its index.
-- name: list_runs_filtered
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    null::json as inputs, null::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at, parent_run_id, complete, replayable
from public.runs
where id < %(before)s and id > %(after)s
    and (%(agent_name)s::text is null or agent_name = %(agent_name)s)
    and (%(state)s::glovebox.run_state is null or state = %(state)s)
    and (%(live)s::boolean is null or outcome is null)
    and (%(outcome)s::glovebox.run_outcome is null or outcome = %(outcome)s)
    and (%(test)s::boolean is null or test = %(test)s)
    and (%(created_after)s::timestamptz is null or created_at > %(created_after)s)
    and (%(created_before)s::timestamptz is null or created_at < %(created_before)s)
order by id desc
limit %(rows_max)s;

-- name: get_run
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    inputs, result::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at, parent_run_id, complete, replayable
from public.runs
where id = %(run_id)s;

-- name: run_exists
select id from public.runs where id = %(run_id)s;

-- name: get_logs
select seq, at_ms, message, fields
from public.run_logs
where run_id = %(run_id)s and seq > %(after_seq)s
order by seq
limit %(rows_max)s;

-- name: append_logs
select glovebox.append_logs(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_revision => %(revision)s, p_logs => %(logs)s
);

-- name: tail_run
select state, outcome, reason, charge_microcredits from public.runs where id = %(run_id)s;

-- name: tail_lines
select seq, at_ms, left(message, %(text_max)s) as message,
    case when fields_length > %(text_max)s then '{}' else fields end as fields,
    length(message) > %(text_max)s or fields_length > %(text_max)s as cut
from (
    select seq, at_ms, message, fields, length(fields::text) as fields_length,
        -- What the lines before this one come to: the first is always there.
        sum(least(octet_length(message), %(text_max)s) + least(octet_length(fields::text), %(text_max)s))
            over (order by seq rows between unbounded preceding and 1 preceding) as bytes_before
    from (
        select seq, at_ms, message, fields
        from public.run_logs
        where run_id = %(run_id)s and seq > %(after_seq)s
        order by seq
        limit %(rows_max)s
    ) as page
) as measured
where coalesce(bytes_before, 0) < %(bytes_max)s
order by seq;

-- name: announce_end
select pg_notify('glovebox_logs', %(run_id)s::text)::text;

-- name: listen
listen glovebox_logs; listen glovebox_cancels; listen glovebox_limits;

-- name: request_cancel
select glovebox.request_cancel(p_claims => %(claims)s, p_run_id => %(run_id)s)::text;

-- name: cancel_requests
select coalesce(array_agg(r), '{}') from glovebox.cancel_requests(%(server_id)s) r;
