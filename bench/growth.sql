-- What fills a database for the measurements of growth, as its superuser, in a session that runs no triggers and no
-- checks of foreign keys. Everything is made after the pattern of one user's one agent and its one run, so that it
-- looks as if the server had stored it. PostgreSQL 18, for uuidv7(interval).

-- name: bypass_triggers
set session_replication_role = replica;

-- name: take_pattern
create temporary table pattern as
select r.*, v.code, v.limits, t.resolved_tier, t.reasons
from public.runs r
join public.agent_versions v on v.user_id = r.user_id and v.agent_id = r.agent_id and v.version = r.version
join public.version_tiers t on t.user_id = r.user_id and t.agent_id = r.agent_id and t.version = r.version
order by r.id
limit 1;

-- The owner of the pattern is number 0 and gets a tenth of everything.
-- name: make_users
create temporary table owners as
select 0 as n, user_id from pattern
union all
select n, gen_random_uuid() from generate_series(1, %(users)s) n;

-- name: make_agents
create temporary table made_agents as
select i as n, uuidv7(interval '-60 days' + i * interval '25 seconds') as id, o.user_id, 'stored-' || i as agent_name
from generate_series(1, %(agents)s) i
join owners o on o.n = case when i %% 10 = 0 then 0 else 1 + i %% %(users)s end;

-- name: store_agents
insert into public.agents (id, user_id, agent_name)
select id, user_id, agent_name from made_agents where n between %(first)s and %(last)s;

-- name: store_versions
insert into public.agent_versions (user_id, agent_id, version, code, tier, limits)
select a.user_id, a.id, 1, p.code, p.tier, p.limits
from made_agents a cross join pattern p where a.n between %(first)s and %(last)s;

-- name: store_tiers
insert into public.version_tiers (user_id, agent_id, version, resolved_tier, reasons)
select a.user_id, a.id, 1, p.resolved_tier, p.reasons
from made_agents a cross join pattern p where a.n between %(first)s and %(last)s;

-- name: store_runs
insert into public.runs (id, user_id, kind, agent_id, agent_name, version, tier, wall, wall_missing, test, state,
    revision, outcome, inputs, result, seed, wall_ms, cpu_ms, peak_memory_bytes, output_bytes, server_id, prices,
    price_microcredits_max, hold_microcredits, charge_microcredits, created_at, started_at, finished_at)
select uuidv7(interval '-30 days' + i * interval '2.5 seconds'), a.user_id, p.kind, a.id, a.agent_name, 1, p.tier,
    p.wall, p.wall_missing, p.test, p.state, p.revision, p.outcome, p.inputs, p.result, i, p.wall_ms, p.cpu_ms,
    p.peak_memory_bytes, p.output_bytes, p.server_id, p.prices, p.price_microcredits_max, p.hold_microcredits,
    p.charge_microcredits, at, at, at
from generate_series(1, %(runs)s) i
cross join lateral (select now() - interval '30 days' + i * interval '2.5 seconds' as at) moment
join made_agents a on a.n = 1 + i %% %(agents)s
cross join pattern p;

-- Each run's hold and what closed it.
-- name: store_entries
with numbered as (
    select r.*, 2 * row_number() over (order by r.id) + (select max(id) from public.credit_entries) as n
    from public.runs r join made_agents a on a.id = r.agent_id
)
insert into public.credit_entries (id, user_id, kind, amount_microcredits, available_delta_microcredits,
    held_delta_microcredits, run_id, hold_id, idempotency_key, created_at)
overriding system value
select r.n + step.n, r.user_id, step.kind::glovebox.entry_kind,
    case step.n when 0 then r.hold_microcredits else r.charge_microcredits end,
    case step.n when 0 then -r.hold_microcredits else r.hold_microcredits - r.charge_microcredits end,
    case step.n when 0 then r.hold_microcredits else -r.hold_microcredits end,
    r.id, case step.n when 1 then r.n end, step.kind || ':' || r.id, r.created_at
from numbered r cross join (values (0, 'hold'), (1, 'settle')) as step (n, kind);

-- name: store_grants
with spent as (
    select o.n, r.user_id, sum(r.charge_microcredits)::bigint as microcredits, count(*) as runs
    from public.runs r join made_agents a on a.id = r.agent_id join owners o on o.user_id = r.user_id
    group by o.n, r.user_id
)
insert into public.credit_entries (id, user_id, kind, amount_microcredits, available_delta_microcredits,
    held_delta_microcredits, idempotency_key)
overriding system value
select s.n + 2 + (select max(id) from public.credit_entries), s.user_id, 'grant', s.microcredits, s.microcredits, 0,
    'stored'
from spent s;

-- What was granted is what was spent: the pattern's owner keeps the balance, everybody else has nothing left.
-- name: store_accounts
insert into public.credit_accounts (user_id) select user_id from owners where n > 0;

-- name: continue_numbers
select setval(pg_get_serial_sequence('public.credit_entries', 'id'), max(id)) from public.credit_entries;

-- name: audit
select user_id from glovebox.audit_balances();
