-- Agents and their versions. All run as glovebox_user: row-level security leaves the caller's rows only.

-- name: insert_agent
insert into public.agents (id, user_id, agent_name, description)
values (%(id)s, %(user_id)s, %(agent_name)s, %(description)s)
returning id, user_id, agent_name, description, status, %(resolved_tier)s as tier, current_version as version, revision,
    created_at, updated_at;

-- name: insert_version
insert into public.agent_versions (user_id, agent_id, version, code, tier, limits, inputs_schema, examples,
    allowed_hosts)
values (%(user_id)s, %(id)s, 1, %(code)s, %(tier)s, %(limits)s::jsonb, %(inputs_schema)s::jsonb, %(examples)s::jsonb,
    %(allowed_hosts)s::jsonb);

-- name: insert_version_tier
insert into public.version_tiers (user_id, agent_id, version, resolved_tier, reasons)
values (%(user_id)s, %(id)s, 1, %(resolved_tier)s, %(reasons)s::jsonb);

-- The page first, then what is joined to it: otherwise all agents of the user are joined before the page is cut.
-- name: list_agents
select a.id, a.user_id, a.agent_name, a.description, a.status, t.resolved_tier as tier, a.current_version as version,
    a.revision, a.created_at, a.updated_at
from (
    select * from public.agents
    where status = 'active' and id < %(before)s
    order by id desc
    limit %(rows_max)s
) a
join public.version_tiers t on t.user_id = a.user_id and t.agent_id = a.id and t.version = a.current_version
order by a.id desc;

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
    v.code, v.tier as asked_tier, v.limits, v.inputs_schema, v.examples, v.allowed_hosts, t.reasons
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id and v.version = a.current_version
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active' and a.agent_name = %(agent_name)s;

-- name: delete_agent
update public.agents
set status = 'deleted', deleted_at = now(), updated_at = now(), revision = revision + 1
where status = 'active' and agent_name = %(agent_name)s
returning id;

-- name: edit_agent
-- Changes what is named, where the agent still is at the revision that the caller saw.
update public.agents
set description = coalesce(%(description)s, description), revision = revision + 1, updated_at = now()
where status = 'active' and id = %(id)s and revision = %(revision)s
returning id;

-- name: edit_agent_with_version
-- One statement, so that nothing of it happens where the revision moved on.
with edited as (
    update public.agents a
    set description = coalesce(%(description)s, a.description), revision = a.revision + 1, updated_at = now(),
        current_version = (
            select max(v.version) + 1 from public.agent_versions v where v.user_id = a.user_id and v.agent_id = a.id
        )
    where a.status = 'active' and a.id = %(id)s and a.revision = %(revision)s
    returning a.user_id, a.id, a.current_version
),
added as (
    insert into public.agent_versions (user_id, agent_id, version, code, tier, limits, inputs_schema, examples,
    allowed_hosts)
    select e.user_id, e.id, e.current_version, %(code)s, %(tier)s, %(limits)s::jsonb, %(inputs_schema)s::jsonb,
        %(examples)s::jsonb, %(allowed_hosts)s::jsonb
    from edited e
),
resolved as (
    insert into public.version_tiers (user_id, agent_id, version, resolved_tier, reasons)
    select e.user_id, e.id, e.current_version, %(resolved_tier)s, %(reasons)s::jsonb
    from edited e
)
select e.id from edited e;

-- name: activate_version
update public.agents a
set current_version = %(version)s, revision = a.revision + 1, updated_at = now()
where a.status = 'active' and a.agent_name = %(agent_name)s and a.revision = coalesce(%(revision)s, a.revision)
    and exists (
        select from public.version_tiers t
        where t.user_id = a.user_id and t.agent_id = a.id and t.version = %(version)s
    )
returning a.id;

-- name: list_versions
select v.version, v.created_at, v.tier as asked_tier, t.resolved_tier as tier,
    encode(sha256(convert_to(v.code, 'UTF8')), 'hex') as code_sha256, v.version = a.current_version as current
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active' and a.agent_name = %(agent_name)s and v.version < %(before)s
order by v.version desc
limit %(rows_max)s;

-- name: agent_exists
select id from public.agents where status = 'active' and agent_name = %(agent_name)s;

-- name: version_exists
select t.version
from public.agents a
join public.version_tiers t on t.user_id = a.user_id and t.agent_id = a.id and t.version = %(version)s
where a.status = 'active' and a.agent_name = %(agent_name)s;

-- name: get_version
select v.version, v.created_at, v.tier as asked_tier, t.resolved_tier as tier,
    encode(sha256(convert_to(v.code, 'UTF8')), 'hex') as code_sha256, v.version = a.current_version as current,
    v.code, v.limits, v.inputs_schema, v.examples, v.allowed_hosts, t.reasons
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active' and a.agent_name = %(agent_name)s and v.version = %(version)s;

-- name: raise_tier
update public.version_tiers t
set resolved_tier = %(tier)s, reasons = t.reasons || jsonb_build_object(t.resolved_tier, %(reason)s::text)
from public.agent_versions v
where t.agent_id = %(agent_id)s and t.version = %(version)s
    and v.user_id = t.user_id and v.agent_id = t.agent_id and v.version = t.version and v.tier = 'auto'
    and array_position(array['monty', 'restricted', 'docker'], t.resolved_tier)
        < array_position(array['monty', 'restricted', 'docker'], %(tier)s::text)
returning t.version;
