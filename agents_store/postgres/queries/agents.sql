-- Agents and their versions. All run as glovebox_user: row-level security leaves the caller's rows only.

-- name: insert_agent
insert into public.agents (id, user_id, agent_name, description)
values (%(id)s, %(user_id)s, %(agent_name)s, %(description)s)
returning id, user_id, agent_name, description, status, %(resolved_tier)s as tier, current_version as version, revision,
    created_at, updated_at;

-- name: insert_version
insert into public.agent_versions (user_id, agent_id, version, code, tier, limits, inputs_schema, examples)
values (%(user_id)s, %(id)s, 1, %(code)s, %(tier)s, %(limits)s::jsonb, %(inputs_schema)s::jsonb, %(examples)s::jsonb);

-- name: insert_version_tier
insert into public.version_tiers (user_id, agent_id, version, resolved_tier, reasons)
values (%(user_id)s, %(id)s, 1, %(resolved_tier)s, %(reasons)s::jsonb);

-- name: list_agents
select a.id, a.user_id, a.agent_name, a.description, a.status, t.resolved_tier as tier, a.current_version as version,
    a.revision, a.created_at, a.updated_at
from public.agents a
join public.version_tiers t on t.user_id = a.user_id and t.agent_id = a.id and t.version = a.current_version
where a.status = 'active' and a.id < %(before)s
order by a.id desc
limit %(rows_max)s;

-- name: list_agents_by_name
select a.id, a.user_id, a.agent_name, a.description, a.status, t.resolved_tier as tier, a.current_version as version,
    a.revision, a.created_at, a.updated_at
from public.agents a
join public.version_tiers t on t.user_id = a.user_id and t.agent_id = a.id and t.version = a.current_version
where a.status = 'active' and a.agent_name = %(agent_name)s and a.id < %(before)s
limit %(rows_max)s;

-- name: get_agent
select a.id, a.user_id, a.agent_name, a.description, a.status, t.resolved_tier as tier, a.current_version as version,
    a.revision, a.created_at, a.updated_at,
    v.code, v.tier as asked_tier, v.limits, v.inputs_schema, v.examples, t.reasons
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id and v.version = a.current_version
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active' and a.agent_name = %(agent_name)s;

-- name: delete_agent
update public.agents
set status = 'deleted', deleted_at = now(), updated_at = now(), revision = revision + 1
where status = 'active' and agent_name = %(agent_name)s
returning id;
