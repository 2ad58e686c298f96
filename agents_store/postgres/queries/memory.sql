-- What agents remember. All run as glovebox_user, or in a dry run as glovebox_dry, which cannot write.

-- name: get_memory
select key, value, tags, importance, revision, updated_at
from public.agent_memory
where agent_id = %(agent_id)s and key = %(key)s;

-- name: put_memory
insert into public.agent_memory as m
    (user_id, agent_id, key, value, tags, importance, embedding, embedding_model)
select a.user_id, a.id, %(key)s, %(value)s::json, %(tags)s::text[], %(importance)s, %(embedding)s::real[], %(model)s
from public.agents a
where a.status = 'active' and a.id = %(agent_id)s
on conflict on constraint agent_memory_pkey do update
set value = excluded.value, tags = excluded.tags, importance = excluded.importance, embedding = excluded.embedding,
    embedding_model = excluded.embedding_model, revision = excluded.revision, updated_at = now()
returning m.key, m.value, m.tags, m.importance, m.revision, m.updated_at;

-- name: delete_memory
select glovebox.forget_memory(p_agent_id => %(agent_id)s, p_key => %(key)s) as forgotten;

-- name: list_memory
select key from public.agent_memory
where agent_id = %(agent_id)s and key > %(after)s and starts_with(key, %(prefix)s)
order by key
limit %(rows_max)s;

-- name: memory_revision
select revision from public.agent_memory_totals where agent_id = %(agent_id)s;

-- name: search_memory
select key, value, tags, importance, revision, updated_at, score
from glovebox.search_memory(
    p_agent_id => %(agent_id)s, p_model => %(model)s, p_embedding => %(embedding)s::real[], p_tags => %(tags)s::text[],
    p_limit => %(rows_max)s
);
