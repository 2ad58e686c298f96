-- Files that runs leave. Their bytes are stored elsewhere, under a key; what no row names any more is noted, to be removed.
-- Locks nothing: the tables are new.

create table public.run_files (
    user_id uuid not null,
    run_id uuid not null,
    name text not null,
    media_type text not null,
    size_bytes bigint not null,
    sha256 text not null,
    storage_key text not null,
    created_at timestamptz not null default now(),
    constraint run_files_pkey primary key (user_id, run_id, name),
    constraint run_files_of_run foreign key (user_id, run_id) references public.runs (user_id, id) on delete cascade,
    -- The user is in the key: a clash must not tell that somebody else's file exists.
    constraint run_files_stored_once unique (user_id, storage_key),
    constraint run_files_name_valid check (name ~ '^[A-Za-z0-9_][A-Za-z0-9._ -]{0,127}$'),
    constraint run_files_media_type_bounded check (char_length(media_type) between 1 and 127),
    constraint run_files_size_not_negative check (size_bytes >= 0),
    constraint run_files_sha256_valid check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint run_files_storage_key_of_user check (starts_with(storage_key, user_id || '/'))
);

-- Bytes that are to be removed once `due_at` has passed: they were to be stored, or a row that is gone named them.
create table public.unneeded_files (
    storage_key text not null constraint unneeded_files_pkey primary key,
    due_at timestamptz not null
);

create function glovebox.note_files() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_op <> 'DELETE' then
        delete from public.unneeded_files u where u.storage_key = new.storage_key;
        if not found then
            raise exception 'the bytes were not announced, or are removed already'
                using errcode = 'check_violation', constraint = 'run_files_announced';
        end if;
        if (select count(*) from public.run_files f where f.user_id = new.user_id and f.run_id = new.run_id) > 32 then
            raise exception 'a run has at most 32 files'
                using errcode = 'check_violation', constraint = 'run_files_bounded';
        end if;
    end if;
    if tg_op <> 'INSERT' then
        insert into public.unneeded_files (storage_key, due_at) values (old.storage_key, clock_timestamp());
    end if;
    return null;
end
$$;

create function glovebox.reserve_file(p_storage_key text) returns void
language sql security definer set search_path = '' as $$
    insert into public.unneeded_files (storage_key, due_at)
    values (p_storage_key, clock_timestamp() + interval '1 hour')
$$;

create function glovebox.find_unneeded_files(p_limit integer) returns setof text
language sql stable security definer set search_path = '' as $$
    select u.storage_key from public.unneeded_files u
    where u.due_at <= clock_timestamp() order by u.due_at limit p_limit
$$;

create function glovebox.forget_files(p_storage_keys text[]) returns void
language sql security definer set search_path = '' as $$
    delete from public.unneeded_files u where u.storage_key = any (p_storage_keys) and u.due_at <= clock_timestamp()
$$;

revoke all on function glovebox.note_files(), glovebox.reserve_file(text), glovebox.find_unneeded_files(integer),
    glovebox.forget_files(text[]) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.note_files() owner to glovebox_ledger;
alter function glovebox.reserve_file(text) owner to glovebox_ledger;
alter function glovebox.find_unneeded_files(integer) owner to glovebox_ledger;
alter function glovebox.forget_files(text[]) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;

create trigger run_files_noted after insert or delete or update of storage_key on public.run_files
    for each row execute function glovebox.note_files();

revoke all on public.run_files, public.unneeded_files from public, anon, authenticated, service_role;
grant select on public.run_files to authenticated, glovebox_user, glovebox_dry;
grant insert, update (media_type, size_bytes, sha256, storage_key, created_at) on public.run_files to glovebox_user;
grant select, delete on public.run_files to glovebox_ledger;
grant select, insert, delete on public.unneeded_files to glovebox_ledger;

alter table public.run_files enable row level security;
alter table public.run_files force row level security;
create policy run_files_read on public.run_files for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy run_files_add on public.run_files for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy run_files_change on public.run_files for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy run_files_remove_by_ledger on public.run_files for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');

alter table public.unneeded_files enable row level security;
alter table public.unneeded_files force row level security;
create policy unneeded_files_keep on public.unneeded_files for all to glovebox_ledger using (true) with check (true);
