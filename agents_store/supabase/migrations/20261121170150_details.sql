-- What the Data API shows of agents and versions in one request: views that run with their reader's rights, so that
-- row-level security of the tables under them leaves the reader's rows only.
-- Locks nothing.

create view public.agent_details with (security_invoker = true) as
select a.id, a.user_id, a.agent_name, a.description, a.status, t.resolved_tier as tier, a.current_version as version,
    a.revision, a.created_at, a.updated_at,
    v.code, v.tier as asked_tier, v.limits, v.inputs_schema, v.examples, v.allowed_hosts, t.reasons
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id and v.version = a.current_version
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active';

create view public.version_details with (security_invoker = true) as
select a.user_id, a.agent_name, v.version, v.created_at, v.tier as asked_tier, t.resolved_tier as tier,
    encode(sha256(convert_to(v.code, 'UTF8')), 'hex') as code_sha256, v.version = a.current_version as current,
    v.code, v.limits, v.inputs_schema, v.examples, v.allowed_hosts, t.reasons
from public.agents a
join public.agent_versions v on v.user_id = a.user_id and v.agent_id = a.id
join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
where a.status = 'active';

revoke all on public.agent_details, public.version_details from public, anon, authenticated, service_role;
grant select on public.agent_details, public.version_details to authenticated, glovebox_user, glovebox_dry;
