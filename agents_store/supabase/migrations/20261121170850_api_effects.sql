-- Calls of the Data API on effects, and on dry runs that are carried out. Each runs as glovebox_user.
-- Locks nothing.

-- Only while the run is this server's: what another one has ended performs nothing more. True where it was claimed.
create function glovebox.api_claim_effect(p json) returns text
language plpgsql set search_path = '' as $$
begin
    insert into public.run_effects
        (user_id, run_id, seq, glove, request, response, error, status, at_ms, duration_ms, source_run_id)
    select r.user_id, r.id, (p ->> 'seq')::integer, p ->> 'glove', (p ->> 'request')::jsonb, (p ->> 'response')::jsonb,
        (p ->> 'error')::jsonb, p ->> 'status', (p ->> 'at_ms')::integer, (p ->> 'duration_ms')::integer,
        r.source_run_id
    from public.runs r
    where r.id = (p ->> 'run_id')::uuid and r.revision = (p ->> 'revision')::integer and r.state = 'executing';
    return to_json(found)::text;
end
$$;

create function glovebox.api_conclude_effect(p json) returns text
language sql set search_path = '' as $$
    update public.run_effects
    set response = (p ->> 'response')::jsonb, error = (p ->> 'error')::jsonb, status = p ->> 'status',
        duration_ms = (p ->> 'duration_ms')::integer
    where run_id = (p ->> 'run_id')::uuid and seq = (p ->> 'seq')::integer
    returning to_json(seq)::text
$$;

create function glovebox.api_applied_effects(p json) returns text
language sql stable set search_path = '' as $$
    select coalesce(json_agg(f), '[]')::text from (
        select e.seq, e.glove, e.request, e.response, e.error, e.status, e.at_ms, e.duration_ms
        from public.run_effects e
        where e.user_id = glovebox.caller_id() and e.source_run_id = (p ->> 'source_run_id')::uuid
            and e.status not in ('refused', 'failed')
        order by e.seq
    ) f
$$;

-- `program` is null where the run's version is gone; no answer where the caller has no such run.
create function glovebox.api_recorded_run(p json) returns text
language sql stable set search_path = '' as $$
    select json_build_object('program', (
        select json_build_object('agent_id', r.agent_id, 'seed', r.seed, 'kind', r.kind, 'code', v.code,
            'asked_tier', v.tier, 'tier', t.resolved_tier, 'limits', v.limits, 'inputs_schema', v.inputs_schema,
            'examples', v.examples, 'allowed_hosts', v.allowed_hosts, 'reasons', t.reasons)
        from public.agent_versions v
        join public.version_tiers t on t.user_id = v.user_id and t.agent_id = v.agent_id and t.version = v.version
        where v.user_id = r.user_id and v.agent_id = r.agent_id and v.version = r.version
    ))::text
    from public.runs r
    where r.id = (p ->> 'run_id')::uuid
$$;

create function glovebox.api_begin_apply(p json) returns text
language sql set search_path = '' as $$
    select to_json(b)::text
    from glovebox.begin_apply(
        p_claims => current_setting('request.jwt.claims'), p_run_id => (p ->> 'run_id')::uuid,
        p_source_run_id => (p ->> 'source_run_id')::uuid, p_reads => (p ->> 'reads')::json,
        p_agent_id => (p ->> 'agent_id')::uuid, p_version => (p ->> 'version')::integer,
        p_inputs => (p ->> 'inputs')::json, p_wall => (p ->> 'wall')::glovebox.run_wall,
        p_wall_missing => array(select json_array_elements_text(p -> 'wall_missing')),
        p_server_id => (p ->> 'server_id')::uuid
    ) b
$$;

-- In one transaction: claim the effect, and remember, forget or keep what it says. `claimed` false: nothing was changed.
create function glovebox.api_apply_effect(p json) returns text
language plpgsql set search_path = '' as $$
declare
    stored text;
begin
    if glovebox.api_claim_effect(p -> 'effect') = 'false' then
        return '{"claimed": false}';
    end if;
    case p ->> 'action'
        when 'put_memory' then stored := glovebox.api_put_memory(p -> 'memory');
        when 'delete_memory' then perform glovebox.api_delete_memory(p -> 'memory'); stored := 'null';
        when 'add_file' then stored := glovebox.api_add_file(p -> 'file');
    end case;
    if stored is null then
        raise exception 'what the effect is for is gone'
            using errcode = 'foreign_key_violation', constraint = 'run_effects_without_target';
    end if;
    return '{"claimed": true}';
end
$$;

grant execute on function
    glovebox.begin_apply(text, uuid, uuid, json, uuid, integer, json, glovebox.run_wall, text[], uuid)
    to glovebox_user;
revoke all on function glovebox.api_claim_effect(json), glovebox.api_conclude_effect(json),
    glovebox.api_applied_effects(json), glovebox.api_recorded_run(json), glovebox.api_begin_apply(json),
    glovebox.api_apply_effect(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_claim_effect(json), glovebox.api_conclude_effect(json),
    glovebox.api_applied_effects(json), glovebox.api_recorded_run(json), glovebox.api_begin_apply(json),
    glovebox.api_apply_effect(json)
    to glovebox_user;
