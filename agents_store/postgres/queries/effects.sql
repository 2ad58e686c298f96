-- Effects of runs, and dry runs carried out. `begin_apply` becomes glovebox_user by itself, `take_dry_run` runs as
-- glovebox_login, the others as glovebox_user.

-- name: list_effects
select seq, glove, request, response, error, status, at_ms, duration_ms
from public.run_effects
where run_id = %(run_id)s and seq > %(after_seq)s
order by seq
limit %(rows_max)s;

-- name: claim_effect
-- Only while the run is this server's: what another one has ended performs nothing more.
insert into public.run_effects
    (user_id, run_id, seq, glove, request, response, error, status, at_ms, duration_ms, source_run_id)
select r.user_id, r.id, %(seq)s, %(glove)s, %(request)s::json, %(response)s::json, %(error)s::jsonb, %(status)s,
    %(at_ms)s, %(duration_ms)s, r.source_run_id
from public.runs r
where r.id = %(run_id)s and r.revision = %(revision)s and r.state = 'executing'
returning seq;

-- name: conclude_effect
update public.run_effects
set response = %(response)s::json, error = %(error)s::jsonb, status = %(status)s, duration_ms = %(duration_ms)s
where run_id = %(run_id)s and seq = %(seq)s
returning seq;

-- name: applied_effects
-- What runs have carried out of a dry run, or may have.
select e.seq, e.glove, e.request, e.response, e.error, e.status, e.at_ms, e.duration_ms
from public.run_effects e
where e.user_id = glovebox.caller_id() and e.source_run_id = %(source_run_id)s
    and e.status not in ('refused', 'failed')
order by e.seq;

-- name: recorded_run
select r.agent_id, r.seed, r.kind,
    v.code, v.tier as asked_tier, t.resolved_tier as tier, v.limits, v.inputs_schema, v.examples, v.allowed_hosts,
    t.reasons
from public.runs r
join public.agent_versions v on v.user_id = r.user_id and v.agent_id = r.agent_id and v.version = r.version
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where r.id = %(run_id)s;

-- name: take_dry_run
select admitted, remaining, reset_ms
from glovebox.take_dry_run(p_user_id => %(user_id)s, p_per_hour_max => %(per_hour_max)s);

-- name: begin_apply
select status, revision, hold_microcredits, price_microcredits_max, available_microcredits, started_at
from glovebox.begin_apply(
    p_claims => %(claims)s, p_run_id => %(run_id)s, p_source_run_id => %(source_run_id)s, p_reads => %(reads)s,
    p_agent_id => %(agent_id)s, p_version => %(version)s, p_inputs => %(inputs)s, p_wall => %(wall)s,
    p_wall_missing => %(wall_missing)s, p_server_id => %(server_id)s
);
