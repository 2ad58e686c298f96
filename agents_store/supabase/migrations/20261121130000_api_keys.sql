-- API keys: long-lived credentials of one user, stored as their SHA-256 only. A revoked key stays listed.
-- Locks nothing: the table is new.

create table public.api_keys (
    id uuid not null constraint api_keys_pkey primary key,
    user_id uuid not null,
    name text not null,
    key_hash bytea not null,
    -- The first and last characters of the random part: enough to recognise a key, nothing to guess it by.
    prefix text not null,
    last4 text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_hash_once unique (key_hash),
    constraint api_keys_name_bounded check (char_length(name) <= 100),
    constraint api_keys_hash_is_sha256 check (octet_length(key_hash) = 32),
    constraint api_keys_prefix_short check (prefix ~ '^[0-9A-Za-z]{8}$'),
    constraint api_keys_last4_short check (last4 ~ '^[0-9A-Za-z]{4}$'),
    constraint api_keys_expire_later check (expires_at > created_at)
);
create index api_keys_of_user on public.api_keys (user_id, id);

-- At most 50 live keys of one user, however many are made at once.
create function glovebox.bound_api_keys() returns trigger
language plpgsql set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('glovebox.api_keys:' || new.user_id, 0));
    if (
        select count(*) from public.api_keys k
        where k.user_id = new.user_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    ) >= 50 then
        raise exception 'a user has at most 50 live API keys'
            using errcode = 'check_violation', constraint = 'api_keys_live_bounded';
    end if;
    return new;
end
$$;
revoke all on function glovebox.bound_api_keys() from public, anon, authenticated, service_role;
create trigger api_keys_live_bounded before insert on public.api_keys
    for each row execute function glovebox.bound_api_keys();

-- Revoked is for good.
create trigger api_keys_stay_revoked before update on public.api_keys
    for each row when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
    execute function glovebox.refuse_change();

revoke all on public.api_keys from public, anon, authenticated, service_role;
-- By column: nobody but the functions of the next migration ever reads a hash.
grant select (id, user_id, name, prefix, last4, created_at, expires_at, last_used_at, revoked_at)
    on public.api_keys to authenticated, glovebox_user, glovebox_dry;
grant insert (id, user_id, name, key_hash, prefix, last4, expires_at) on public.api_keys to glovebox_user;
grant update (revoked_at) on public.api_keys to glovebox_user;
grant select, delete on public.api_keys to glovebox_ledger;
grant update (last_used_at) on public.api_keys to glovebox_ledger;

alter table public.api_keys enable row level security;
alter table public.api_keys force row level security;
create policy api_keys_read on public.api_keys for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy api_keys_add on public.api_keys for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy api_keys_revoke on public.api_keys for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy api_keys_keep on public.api_keys for all to glovebox_ledger using (true) with check (true);
