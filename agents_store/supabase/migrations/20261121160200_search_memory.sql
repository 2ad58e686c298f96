-- Search by meaning: exact, over one agent's entries, of which there are few. Runs as whoever calls it, under RLS.
-- Locks nothing.

-- Best first: by the cosine of both embeddings, where an importance of 1 lifts as much as 0.1 of it.
create function glovebox.search_memory(
    p_agent_id uuid, p_model text, p_embedding real[], p_tags text[], p_limit integer
) returns table (
    key text, value json, tags text[], importance double precision, revision bigint, updated_at timestamptz,
    score double precision
)
language plpgsql stable set search_path = '' as $$
declare
    -- Where pgvector is differs: Supabase has it in `extensions`, an older database perhaps in `public`.
    home name := (
        select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    if home is null or not pg_catalog.has_schema_privilege(home, 'usage') then
        raise exception 'pgvector is missing' using errcode = 'feature_not_supported',
            constraint = 'agent_memory_search_wants_vector';
    end if;
    return query execute format(
        'select f.key, f.value, f.tags, f.importance, f.revision, f.updated_at, f.score from (
            select m.key, m.value, m.tags, m.importance, m.revision, m.updated_at,
                1 - (m.embedding::%1$I.vector operator(%1$I.<=>) $3::%1$I.vector) as score
            from public.agent_memory m
            where m.agent_id = $1 and m.embedding_model = $2 and m.tags @> $4
        ) f
        order by f.score + 0.1 * f.importance desc, f.key
        limit $5', home
    ) using p_agent_id, p_model, p_embedding, p_tags, p_limit;
end
$$;
revoke all on function glovebox.search_memory(uuid, text, real[], text[], integer)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.search_memory(uuid, text, real[], text[], integer) to glovebox_user, glovebox_dry;
