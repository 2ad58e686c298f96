-- Calls of the Data API on agents. Each runs as glovebox_user, under RLS as the user.
-- Locks nothing.

create function glovebox.api_insert_version(p json, p_agent_id uuid, p_version integer) returns void
language sql set search_path = '' as $$
    insert into public.agent_versions (user_id, agent_id, version, code, tier, limits, inputs_schema, examples, allowed_hosts)
    values (glovebox.caller_id(), p_agent_id, p_version, p ->> 'code', p ->> 'tier', (p ->> 'limits')::jsonb,
        (p ->> 'inputs_schema')::jsonb, (p ->> 'examples')::jsonb, (p ->> 'allowed_hosts')::jsonb);
    insert into public.version_tiers (user_id, agent_id, version, resolved_tier, reasons)
    values (glovebox.caller_id(), p_agent_id, p_version, p ->> 'resolved_tier', (p ->> 'reasons')::jsonb)
$$;

-- The stored agent, as `public.agent_details` shows it.
create function glovebox.api_create_agent(p json) returns text
language plpgsql set search_path = '' as $$
begin
    insert into public.agents (id, user_id, agent_name, description)
    values ((p ->> 'id')::uuid, glovebox.caller_id(), p ->> 'agent_name', p ->> 'description');
    perform glovebox.api_insert_version(p, (p ->> 'id')::uuid, 1);
    return (select to_json(d)::text from public.agent_details d where d.id = (p ->> 'id')::uuid);
end
$$;

create function glovebox.api_delete_agent(p json) returns text
language sql set search_path = '' as $$
    update public.agents
    set status = 'deleted', deleted_at = now(), updated_at = now(), revision = revision + 1
    where status = 'active' and agent_name = p ->> 'agent_name'
    returning to_json(id)::text
$$;

-- `edited` tells whether the agent was at the revision that the caller saw; `agent` is null where there is none.
create function glovebox.api_edit_agent(p json) returns text
language plpgsql set search_path = '' as $$
declare
    added integer;
    edited boolean;
begin
    update public.agents a
    set description = coalesce(p ->> 'description', a.description), revision = a.revision + 1, updated_at = now(),
        current_version = case when p ->> 'code' is null then a.current_version else (
            select max(v.version) + 1 from public.agent_versions v where v.user_id = a.user_id and v.agent_id = a.id
        ) end
    where a.status = 'active' and a.id = (p ->> 'id')::uuid and a.revision = (p ->> 'revision')::integer
    returning a.current_version into added;
    edited := found;
    if edited and p ->> 'code' is not null then
        perform glovebox.api_insert_version(p, (p ->> 'id')::uuid, added);
    end if;
    return json_build_object('edited', edited, 'agent', (
        select to_json(d) from public.agent_details d where d.agent_name = p ->> 'agent_name'
    ))::text;
end
$$;

create function glovebox.api_activate_version(p json) returns text
language plpgsql set search_path = '' as $$
declare
    activated boolean;
begin
    update public.agents a
    set current_version = (p ->> 'version')::integer, revision = a.revision + 1, updated_at = now()
    where a.status = 'active' and a.agent_name = p ->> 'agent_name'
        and a.revision = coalesce((p ->> 'revision')::integer, a.revision)
        and exists (
            select from public.version_tiers t
            where t.user_id = a.user_id and t.agent_id = a.id and t.version = (p ->> 'version')::integer
        );
    activated := found;
    return json_build_object(
        'activated', activated,
        'known', exists (
            select from public.agents a
            join public.version_tiers t on t.user_id = a.user_id and t.agent_id = a.id
            where a.status = 'active' and a.agent_name = p ->> 'agent_name' and t.version = (p ->> 'version')::integer
        ),
        'agent', (select to_json(d) from public.agent_details d where d.agent_name = p ->> 'agent_name')
    )::text;
end
$$;

create function glovebox.api_raise_tier(p json) returns text
language sql set search_path = '' as $$
    update public.version_tiers t
    set resolved_tier = p ->> 'tier', reasons = t.reasons || jsonb_build_object(t.resolved_tier, p ->> 'reason')
    from public.agent_versions v
    where t.agent_id = (p ->> 'agent_id')::uuid and t.version = (p ->> 'version')::integer
        and v.user_id = t.user_id and v.agent_id = t.agent_id and v.version = t.version and v.tier = 'auto'
        and array_position(array['monty', 'restricted', 'docker'], t.resolved_tier)
            < array_position(array['monty', 'restricted', 'docker'], p ->> 'tier')
    returning to_json(t.version)::text
$$;

revoke all on function glovebox.api_insert_version(json, uuid, integer), glovebox.api_create_agent(json),
    glovebox.api_delete_agent(json), glovebox.api_edit_agent(json), glovebox.api_activate_version(json),
    glovebox.api_raise_tier(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_insert_version(json, uuid, integer), glovebox.api_create_agent(json),
    glovebox.api_delete_agent(json), glovebox.api_edit_agent(json), glovebox.api_activate_version(json),
    glovebox.api_raise_tier(json)
    to glovebox_user;
