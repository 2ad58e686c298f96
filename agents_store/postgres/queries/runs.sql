-- Runs. `begin_run` and `finish_run` become glovebox_user by themselves; the others run as it.

-- name: begin_run
select status, revision, hold_microcredits, price_microcredits_max, available_microcredits, started_at
from glovebox.begin_run(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_agent_id => %(agent_id)s, p_version => %(version)s,
    p_test => %(test)s, p_inputs => %(inputs)s, p_seed => %(seed)s, p_wall => %(wall)s,
    p_wall_missing => %(wall_missing)s, p_server_id => %(server_id)s
);

-- name: finish_run
select finished, charge_microcredits, would_charge_microcredits
from glovebox.finish_run(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_revision => %(revision)s, p_state => %(state)s,
    p_outcome => %(outcome)s, p_reason => %(reason)s, p_billable => %(billable)s, p_result => %(result)s,
    p_error => %(error)s, p_wall_ms => %(wall_ms)s, p_cpu_ms => %(cpu_ms)s,
    p_peak_memory_bytes => %(peak_memory_bytes)s, p_output_bytes => %(output_bytes)s, p_logs => %(logs)s
);

-- name: list_runs
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    null::json as inputs, null::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at
from public.runs
where id < %(before)s
order by id desc
limit %(rows_max)s;

-- name: list_runs_of_agent
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    null::json as inputs, null::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at
from public.runs
where agent_name = %(agent_name)s and id < %(before)s
order by id desc
limit %(rows_max)s;

-- name: get_run
select id, kind, agent_name, version, tier, wall, wall_missing, test, state, outcome, reason,
    inputs, result::text as result_json, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, created_at, started_at, finished_at
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
