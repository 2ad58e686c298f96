-- Calls of the Data API on what agents remember, as glovebox_user, or in a dry run as glovebox_dry, which cannot write.
-- Locks nothing.

create function glovebox.memory_json(m public.agent_memory) returns json
language sql stable set search_path = '' as $$
    select json_build_object('key', m.key, 'value', m.value, 'tags', m.tags, 'importance', m.importance,
        'revision', m.revision, 'updated_at', m.updated_at)
$$;

create function glovebox.api_get_memory(p json) returns text
language sql stable set search_path = '' as $$
    select glovebox.memory_json(m)::text
    from public.agent_memory m
    where m.agent_id = (p ->> 'agent_id')::uuid and m.key = p ->> 'key'
$$;

create function glovebox.api_put_memory(p json) returns text
language sql set search_path = '' as $$
    insert into public.agent_memory as m
        (user_id, agent_id, key, value, tags, importance, embedding, embedding_model)
    select a.user_id, a.id, p ->> 'key', (p ->> 'value')::json, array(select json_array_elements_text(p -> 'tags')),
        (p ->> 'importance')::double precision,
        case when p ->> 'model' is not null
            then array(select json_array_elements_text(p -> 'embedding')::real) end,
        p ->> 'model'
    from public.agents a
    where a.status = 'active' and a.id = (p ->> 'agent_id')::uuid
    on conflict on constraint agent_memory_pkey do update
    set value = excluded.value, tags = excluded.tags, importance = excluded.importance,
        embedding = excluded.embedding, embedding_model = excluded.embedding_model, revision = excluded.revision,
        updated_at = now()
    returning glovebox.memory_json(m)::text
$$;

create function glovebox.api_delete_memory(p json) returns text
language sql set search_path = '' as $$
    select to_json(glovebox.forget_memory((p ->> 'agent_id')::uuid, p ->> 'key'))::text
$$;

-- The revision of the whole memory from before the keys were read.
create function glovebox.api_list_memory(p json) returns text
language plpgsql set search_path = '' as $$
declare
    standing bigint := (
        select t.revision from public.agent_memory_totals t where t.agent_id = (p ->> 'agent_id')::uuid
    );
begin
    return json_build_object('revision', coalesce(standing, 0), 'keys', (
        select coalesce(json_agg(f.key), '[]') from (
            select m.key from public.agent_memory m
            where m.agent_id = (p ->> 'agent_id')::uuid and m.key > p ->> 'after'
                and starts_with(m.key, p ->> 'prefix')
            order by m.key
            limit (p ->> 'rows_max')::integer
        ) f
    ))::text;
end
$$;

create function glovebox.api_search_memory(p json) returns text
language plpgsql set search_path = '' as $$
declare
    standing bigint := (
        select t.revision from public.agent_memory_totals t where t.agent_id = (p ->> 'agent_id')::uuid
    );
begin
    return json_build_object('revision', coalesce(standing, 0), 'hits', (
        select coalesce(json_agg(h), '[]')
        from glovebox.search_memory(
            p_agent_id => (p ->> 'agent_id')::uuid, p_model => p ->> 'model',
            p_embedding => array(select json_array_elements_text(p -> 'embedding')::real),
            p_tags => array(select json_array_elements_text(p -> 'tags')), p_limit => (p ->> 'rows_max')::integer
        ) h
    ))::text;
end
$$;

revoke all on function glovebox.memory_json(public.agent_memory), glovebox.api_get_memory(json),
    glovebox.api_put_memory(json), glovebox.api_delete_memory(json), glovebox.api_list_memory(json),
    glovebox.api_search_memory(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.memory_json(public.agent_memory), glovebox.api_get_memory(json),
    glovebox.api_list_memory(json), glovebox.api_search_memory(json)
    to glovebox_user, glovebox_dry;
grant execute on function glovebox.api_put_memory(json), glovebox.api_delete_memory(json) to glovebox_user;

-- Search finds pgvector wherever it is.
do $$
declare
    home name := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector'
    );
begin
    if home is not null then
        execute format('grant usage on schema %I to glovebox_user, glovebox_dry', home);
    end if;
end
$$;
