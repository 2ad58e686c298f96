-- Idempotency keys: the first answer to a request, kept for its repeats for 24 h.
-- Locks nothing: the table is new.

create table public.idempotency_keys (
    user_id uuid not null,
    key text not null,
    request_hash bytea not null,
    -- The run that the request begins, if it begins one: chosen before, so that whoever takes over an unanswered request
    -- cannot begin a second one.
    run_id uuid not null,
    server_id uuid not null,
    claimed_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '24 hours',
    answered_at timestamptz,
    status integer,
    headers jsonb,
    body bytea,
    -- The user comes first: a key that another user has is not seen, nor told by an error.
    constraint idempotency_keys_pkey primary key (user_id, key),
    constraint idempotency_keys_key_bounded check (key ~ '^[\x21-\x7e]{1,255}$'),
    constraint idempotency_keys_hash_is_sha256 check (octet_length(request_hash) = 32),
    constraint idempotency_keys_answered_whole check (num_nulls(answered_at, status, headers, body) in (0, 4))
);
create index idempotency_keys_expire on public.idempotency_keys (expires_at);

revoke all on public.idempotency_keys from public, anon, authenticated, service_role;
grant select, insert on public.idempotency_keys to glovebox_user;
-- By column, and nothing is deleted but by purging: whoever may update or delete a table may lock it.
grant update (request_hash, run_id, server_id, claimed_at, expires_at, answered_at, status, headers, body)
    on public.idempotency_keys to glovebox_user;
grant select (user_id, key, expires_at), delete on public.idempotency_keys to glovebox_ledger;

alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;
create policy idempotency_keys_read on public.idempotency_keys for select to glovebox_user
    using (user_id = (select auth.uid()));
create policy idempotency_keys_add on public.idempotency_keys for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy idempotency_keys_change on public.idempotency_keys for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy idempotency_keys_read_by_ledger on public.idempotency_keys for select to glovebox_ledger using (true);
create policy idempotency_keys_purge on public.idempotency_keys for delete to glovebox_ledger using (true);
