-- What agents remember between runs: JSON by key, bounded for each agent, each entry with the text's embedding.
-- Locks nothing: the tables are new.

-- Every change of a key gives it another revision, also when it is forgotten and remembered anew.
create sequence glovebox.memory_revisions;
revoke all on sequence glovebox.memory_revisions from public, anon, authenticated, service_role;
grant usage on sequence glovebox.memory_revisions to glovebox_user, glovebox_ledger;

create table public.agent_memory (
    user_id uuid not null,
    agent_id uuid not null,
    key text collate "C" not null, -- listed in the order of its bytes, on every database
    value json not null, -- json, not jsonb: the agent's own text
    tags text[] not null default '{}',
    importance double precision not null default 0,
    -- An array, not a vector, so that the schema is one where pgvector is missing, too. Compared only within its model.
    embedding real[],
    embedding_model text,
    revision bigint not null default nextval('glovebox.memory_revisions'),
    updated_at timestamptz not null default now(),
    constraint agent_memory_pkey primary key (user_id, agent_id, key),
    constraint agent_memory_of_agent foreign key (user_id, agent_id)
        references public.agents (user_id, id) on delete cascade,
    constraint agent_memory_key_bounded check (char_length(key) between 1 and 256),
    constraint agent_memory_value_bounded check (octet_length(value::text) <= 65536),
    constraint agent_memory_tags_bounded check (
        cardinality(tags) <= 16 and octet_length(array_to_string(tags, '')) <= 4096
    ),
    constraint agent_memory_importance_bounded check (importance between 0 and 1),
    constraint agent_memory_embedding_fits check (
        (embedding is null) = (embedding_model is null) and cardinality(embedding) = 256
    )
);

-- What an agent's memory comes to, and a revision that moves with each change of any of its keys.
create table public.agent_memory_totals (
    user_id uuid not null,
    agent_id uuid not null,
    entries integer not null,
    bytes bigint not null, -- of keys, values and tags
    revision bigint not null,
    constraint agent_memory_totals_pkey primary key (user_id, agent_id),
    constraint agent_memory_totals_of_agent foreign key (user_id, agent_id)
        references public.agents (user_id, id) on delete cascade,
    constraint agent_memory_totals_entries_bounded check (entries <= 10000),
    constraint agent_memory_totals_bytes_bounded check (bytes <= 67108864)
) with (fillfactor = 50); -- every change updates its agent's row: room to do it in place

create function glovebox.memory_bytes(p_entry public.agent_memory) returns bigint
language sql immutable set search_path = '' as $$
    select octet_length(p_entry.key)::bigint + octet_length(p_entry.value::text)
        + octet_length(array_to_string(p_entry.tags, ''))
$$;

-- After, not before: an insert that becomes an update would be counted twice.
create function glovebox.count_memory() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    more_bytes bigint := 0;
begin
    if tg_op <> 'DELETE' then
        more_bytes := glovebox.memory_bytes(new);
    end if;
    if tg_op <> 'INSERT' then
        more_bytes := more_bytes - glovebox.memory_bytes(old);
    end if;
    if tg_op = 'INSERT' then
        insert into public.agent_memory_totals as t (user_id, agent_id, entries, bytes, revision)
        values (new.user_id, new.agent_id, 1, more_bytes, new.revision)
        on conflict on constraint agent_memory_totals_pkey do update
        set entries = t.entries + 1, bytes = t.bytes + more_bytes,
            revision = nextval('glovebox.memory_revisions');
    else
        update public.agent_memory_totals t
        set entries = t.entries - case when tg_op = 'DELETE' then 1 else 0 end, bytes = t.bytes + more_bytes,
            revision = nextval('glovebox.memory_revisions')
        where t.user_id = old.user_id and t.agent_id = old.agent_id;
    end if;
    return null;
end
$$;

-- A function, not a right to delete, which would be a right to lock the whole table.
create function glovebox.forget_memory(p_agent_id uuid, p_key text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.agent_memory m
    where m.user_id = glovebox.caller_id() and m.agent_id = p_agent_id and m.key = p_key;
    return found;
end
$$;

revoke all on function glovebox.memory_bytes(public.agent_memory), glovebox.count_memory(),
    glovebox.forget_memory(uuid, text) from public, anon, authenticated, service_role;
grant execute on function glovebox.forget_memory(uuid, text) to glovebox_user;
grant execute on function glovebox.memory_bytes(public.agent_memory) to glovebox_ledger;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.count_memory() owner to glovebox_ledger;
alter function glovebox.forget_memory(uuid, text) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;

create trigger agent_memory_counted after insert or update or delete on public.agent_memory
    for each row execute function glovebox.count_memory();

revoke all on public.agent_memory, public.agent_memory_totals from public, anon, authenticated, service_role;
grant select on public.agent_memory, public.agent_memory_totals to authenticated, glovebox_user, glovebox_dry;
grant insert on public.agent_memory to glovebox_user;
grant update (value, tags, importance, embedding, embedding_model, revision, updated_at) on public.agent_memory
    to glovebox_user;
grant select, delete on public.agent_memory to glovebox_ledger;
grant select, insert, update, delete on public.agent_memory_totals to glovebox_ledger;

alter table public.agent_memory enable row level security;
alter table public.agent_memory force row level security;
create policy agent_memory_read on public.agent_memory for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy agent_memory_add on public.agent_memory for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy agent_memory_change on public.agent_memory for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy agent_memory_remove_by_ledger on public.agent_memory for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');

alter table public.agent_memory_totals enable row level security;
alter table public.agent_memory_totals force row level security;
create policy agent_memory_totals_read on public.agent_memory_totals for select
    to authenticated, glovebox_user, glovebox_dry using (user_id = (select auth.uid()));
create policy agent_memory_totals_keep on public.agent_memory_totals for all to glovebox_ledger
    using (true) with check (true);
