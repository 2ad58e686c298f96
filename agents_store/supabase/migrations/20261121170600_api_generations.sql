-- Calls of the Data API on generations: the first three run as glovebox_user, the others as glovebox_ledger.
-- Locks nothing.

create function glovebox.api_read_engine(p json) returns text
language sql stable set search_path = '' as $$
    select json_build_object('prompt_version', r.version, 'text', r.text, 'repairs_max', r.repairs_max,
        'model', m.name, 'effort', m.effort, 'input_tokens_max', m.input_tokens_max,
        'output_tokens_max', m.output_tokens_max, 'answer_ms_max', m.answer_ms_max, 'retries_max', m.retries_max)::text
    from public.prompts r
    join public.models m on m.name = r.model
    where r.name = 'generation'
$$;

create function glovebox.api_begin_generation(p json) returns text
language sql set search_path = '' as $$
    select to_json(b)::text
    from glovebox.begin_generation(
        p_claims => current_setting('request.jwt.claims'), p_generation_id => (p ->> 'generation_id')::uuid,
        p_kind => (p ->> 'kind')::glovebox.generation_kind, p_agent_name => p ->> 'agent_name',
        p_request => p ->> 'request', p_model => p ->> 'model', p_prompt_version => (p ->> 'prompt_version')::integer,
        p_attempts_max => (p ->> 'attempts_max')::integer, p_input_tokens_max => (p ->> 'input_tokens_max')::bigint,
        p_output_tokens_max => (p ->> 'output_tokens_max')::bigint, p_server_id => (p ->> 'server_id')::uuid
    ) b
$$;

create function glovebox.api_finish_generation(p json) returns text
language sql set search_path = '' as $$
    select to_json(f)::text
    from glovebox.finish_generation(
        p_claims => current_setting('request.jwt.claims'), p_generation_id => (p ->> 'generation_id')::uuid,
        p_state => (p ->> 'state')::glovebox.generation_state, p_reason => p ->> 'reason',
        p_input_tokens => (p ->> 'input_tokens')::bigint, p_output_tokens => (p ->> 'output_tokens')::bigint,
        p_cache_read_tokens => (p ->> 'cache_read_tokens')::bigint,
        p_cache_write_tokens => (p ->> 'cache_write_tokens')::bigint, p_attempts => (p ->> 'attempts')::jsonb,
        p_version => (p ->> 'version')::integer
    ) f
$$;

create function glovebox.api_reap_generations(p json) returns text
language sql set search_path = '' as $$
    select glovebox.reap_generations(
        (p ->> 'generations_max')::integer, array(select json_array_elements_text(p -> 'abandoned')::uuid)
    )::text
$$;

create function glovebox.api_purge_generations(p json) returns text
language sql set search_path = '' as $$
    select glovebox.purge_generations((p ->> 'retention_ms')::bigint, (p ->> 'rows_max')::integer)::text
$$;

grant execute on function
    glovebox.begin_generation(text, uuid, glovebox.generation_kind, text, text, text, integer, integer, bigint, bigint,
        uuid),
    glovebox.finish_generation(text, uuid, glovebox.generation_state, text, bigint, bigint, bigint, bigint, jsonb,
        integer)
    to glovebox_user;
revoke all on function glovebox.api_read_engine(json), glovebox.api_begin_generation(json),
    glovebox.api_finish_generation(json), glovebox.api_reap_generations(json), glovebox.api_purge_generations(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_read_engine(json), glovebox.api_begin_generation(json),
    glovebox.api_finish_generation(json) to glovebox_user;
grant execute on function glovebox.api_reap_generations(json), glovebox.api_purge_generations(json) to glovebox_ledger;
