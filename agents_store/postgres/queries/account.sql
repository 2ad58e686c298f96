-- A user's own data as a whole. `purge` runs as glovebox_login, all others as glovebox_user. The exports give one JSON
-- object a row; those that may be large stop after the row with which the batch is above bytes_max.

-- name: purge
select runs, agents from glovebox.purge(%(retention_ms)s, %(rows_max)s);

-- name: allow_long_statement
select set_config('statement_timeout', %(milliseconds)s, true);

-- name: erase_account
select glovebox.erase_account();

-- name: export_account
select json_build_object('type', 'account', 'user_id', u.user_id,
    'available_microcredits', coalesce(c.available_microcredits, 0),
    'held_microcredits', coalesce(c.held_microcredits, 0),
    'created_at', c.created_at, 'exported_at', now())::text as line
from (select glovebox.caller_id() as user_id) u
left join public.credit_accounts c on c.user_id = u.user_id;

-- name: export_agents
select a.id as last, to_json(e)::text as line
from public.agents a
cross join lateral (
    select 'agent' as type, a.id, a.agent_name, a.description, a.status, a.current_version as version, a.revision,
        a.created_at, a.updated_at, a.deleted_at
) e
where a.id > %(after)s
order by a.id
limit %(rows_max)s;

-- name: export_versions
with found as (
    select v.agent_id, v.version,
        sum(octet_length(v.code) + octet_length(v.examples::text)) over (order by v.agent_id, v.version) as bytes
    from (
        select agent_id, version, code, examples from public.agent_versions
        where (agent_id, version) > (%(after)s, %(after_number)s)
        order by agent_id, version
        limit %(rows_max)s
    ) v
)
select f.agent_id as last, f.version as last_number, to_json(e)::text as line
from found f
join public.agent_versions v on v.agent_id = f.agent_id and v.version = f.version
left join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
cross join lateral (
    select 'version' as type, v.agent_id, v.version, v.tier as asked_tier, t.resolved_tier as tier, v.code, v.limits,
        v.inputs_schema, v.examples, v.allowed_hosts, t.reasons as tier_reasons, v.created_at
) e
where f.bytes - octet_length(v.code) - octet_length(v.examples::text) <= %(bytes_max)s
order by f.agent_id, f.version;

-- name: export_runs
with found as (
    select r.id, r.bytes, sum(r.bytes) over (order by r.id) as bytes_so_far
    from (
        select id, octet_length(inputs::text) + coalesce(octet_length(result::text), 0) as bytes
        from public.runs
        where id > %(after)s
        order by id
        limit %(rows_max)s
    ) r
)
select r.id as last, to_json(e)::text as line
from found f
join public.runs r on r.id = f.id
cross join lateral (
    select 'run' as type, r.id, r.kind, r.agent_id, r.agent_name, r.version, r.tier, r.wall, r.wall_missing, r.test,
        r.state, r.outcome, r.reason, r.inputs, r.result, r.error, r.seed, r.wall_ms, r.cpu_ms, r.peak_memory_bytes,
        r.output_bytes, r.charge_microcredits, r.created_at, r.started_at, r.finished_at, r.parent_run_id,
        r.source_run_id, r.glove_calls, r.complete, r.replayable
) e
where f.bytes_so_far - f.bytes <= %(bytes_max)s
order by r.id;

-- name: export_effects
with found as (
    select l.run_id, l.seq, l.bytes, sum(l.bytes) over (order by l.run_id, l.seq) as bytes_so_far
    from (
        select run_id, seq, octet_length(request::text) + coalesce(octet_length(response::text), 0) as bytes
        from public.run_effects
        where (run_id, seq) > (%(after)s, %(after_number)s)
        order by run_id, seq
        limit %(rows_max)s
    ) l
)
select f.run_id as last, f.seq as last_number, to_json(e)::text as line
from found f
join public.run_effects l on l.run_id = f.run_id and l.seq = f.seq
cross join lateral (
    select 'effect' as type, l.run_id, l.seq, l.glove, l.request, l.response, l.error, l.status, l.at_ms, l.duration_ms
) e
where f.bytes_so_far - f.bytes <= %(bytes_max)s
order by f.run_id, f.seq;

-- name: export_files
select f.run_id as last, f.name as last_name, to_json(e)::text as line
from public.run_files f
cross join lateral (
    select 'file' as type, f.run_id, f.name, f.media_type, f.size_bytes, f.sha256, f.created_at
) e
where (f.run_id, f.name) > (%(after)s, %(after_name)s)
order by f.run_id, f.name
limit %(rows_max)s;

-- name: export_memory
with found as (
    select m.agent_id, m.key, m.bytes, sum(m.bytes) over (order by m.agent_id, m.key) as bytes_so_far
    from (
        select agent_id, key, octet_length(value::text) as bytes
        from public.agent_memory
        where (agent_id, key) > (%(after)s, %(after_name)s)
        order by agent_id, key
        limit %(rows_max)s
    ) m
)
select f.agent_id as last, f.key as last_name, to_json(e)::text as line
from found f
join public.agent_memory m on m.agent_id = f.agent_id and m.key = f.key
cross join lateral (
    select 'memory' as type, m.agent_id, m.key, m.value, m.tags, m.importance, m.updated_at
) e
where f.bytes_so_far - f.bytes <= %(bytes_max)s
order by f.agent_id, f.key;

-- name: export_secrets
select s.agent_id as last, s.name as last_name, to_json(e)::text as line
from public.agent_secrets s
cross join lateral (select 'secret' as type, s.agent_id, s.name, s.hosts, s.created_at, s.updated_at) e
where (s.agent_id, s.name) > (%(after)s, %(after_name)s)
order by s.agent_id, s.name
limit %(rows_max)s;

-- name: export_generations
with found as (
    select g.id, g.bytes, sum(g.bytes) over (order by g.id) as bytes_so_far
    from (
        select id, octet_length(request) + octet_length(attempts::text) as bytes
        from public.generations
        where id > %(after)s
        order by id
        limit %(rows_max)s
    ) g
)
select g.id as last, to_json(e)::text as line
from found f
join public.generations g on g.id = f.id
cross join lateral (
    select 'generation' as type, g.id, g.kind, g.agent_name, g.request, g.state, g.reason, g.model, g.prompt_version,
        g.hold_microcredits, g.charge_microcredits, g.input_tokens, g.output_tokens, g.cache_read_tokens,
        g.cache_write_tokens, g.attempts, g.version, g.created_at, g.finished_at
) e
where f.bytes_so_far - f.bytes <= %(bytes_max)s
order by g.id;

-- name: export_logs
with found as (
    select l.run_id, l.seq, l.bytes, sum(l.bytes) over (order by l.run_id, l.seq) as bytes_so_far
    from (
        select run_id, seq, octet_length(message) + octet_length(fields::text) as bytes
        from public.run_logs
        where (run_id, seq) > (%(after)s, %(after_number)s)
        order by run_id, seq
        limit %(rows_max)s
    ) l
)
select f.run_id as last, f.seq as last_number, to_json(e)::text as line
from found f
join public.run_logs l on l.run_id = f.run_id and l.seq = f.seq
cross join lateral (select 'log' as type, l.run_id, l.seq, l.at_ms, l.message, l.fields) e
where f.bytes_so_far - f.bytes <= %(bytes_max)s
order by f.run_id, f.seq;

-- name: export_entries
select c.id as last, to_json(e)::text as line
from public.credit_entries c
cross join lateral (
    select 'entry' as type, c.id, c.kind, c.amount_microcredits, c.available_delta_microcredits,
        c.held_delta_microcredits, c.run_id, c.generation_id, c.pricing, c.created_at
) e
where c.id > %(after)s
order by c.id
limit %(rows_max)s;
