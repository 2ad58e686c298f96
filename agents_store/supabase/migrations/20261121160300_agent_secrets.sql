-- Secrets of agents: sealed before they come here, and read by the server alone, to be sent to the hosts they are bound to.
-- Locks nothing: the table is new.

create table public.agent_secrets (
    user_id uuid not null,
    agent_id uuid not null,
    name text not null,
    hosts text[] not null,
    key_id text not null, -- which of the operator's keys opens it
    nonce bytea not null,
    ciphertext bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint agent_secrets_pkey primary key (user_id, agent_id, name),
    constraint agent_secrets_of_agent foreign key (user_id, agent_id)
        references public.agents (user_id, id) on delete cascade,
    constraint agent_secrets_name_valid check (name ~ '^[A-Za-z_][A-Za-z0-9_-]{0,63}$'),
    constraint agent_secrets_hosts_bounded check (
        cardinality(hosts) between 1 and 16 and octet_length(array_to_string(hosts, '')) <= 4096
    ),
    constraint agent_secrets_key_id_short check (key_id ~ '^[0-9a-f]{16}$'),
    constraint agent_secrets_nonce_fits check (octet_length(nonce) = 12),
    constraint agent_secrets_ciphertext_bounded check (octet_length(ciphertext) between 17 and 8208)
);
-- What rotation looks for.
create index agent_secrets_of_key on public.agent_secrets (key_id);

-- At most 64 of one agent, however many are made at once.
create function glovebox.bound_agent_secrets() returns trigger
language plpgsql set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('glovebox.agent_secrets:' || new.agent_id, 0));
    if (
        select count(*) from public.agent_secrets s
        where s.user_id = new.user_id and s.agent_id = new.agent_id and s.name <> new.name
    ) >= 64 then
        raise exception 'an agent has at most 64 secrets'
            using errcode = 'check_violation', constraint = 'agent_secrets_bounded';
    end if;
    return new;
end
$$;
revoke all on function glovebox.bound_agent_secrets() from public, anon, authenticated, service_role;
create trigger agent_secrets_bounded before insert on public.agent_secrets
    for each row execute function glovebox.bound_agent_secrets();

-- By column: nobody but the functions of the next migration ever reads what is sealed.
revoke all on public.agent_secrets from public, anon, authenticated, service_role;
grant select (user_id, agent_id, name, hosts, created_at, updated_at) on public.agent_secrets
    to authenticated, glovebox_user, glovebox_dry;
grant insert on public.agent_secrets to glovebox_user;
grant update (hosts, key_id, nonce, ciphertext, updated_at) on public.agent_secrets to glovebox_user;
grant select, delete, update (key_id, nonce, ciphertext) on public.agent_secrets to glovebox_ledger;

alter table public.agent_secrets enable row level security;
alter table public.agent_secrets force row level security;
create policy agent_secrets_read on public.agent_secrets for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy agent_secrets_add on public.agent_secrets for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy agent_secrets_change on public.agent_secrets for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy agent_secrets_keep on public.agent_secrets for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');

-- A deleted agent sends nothing any more.
create function glovebox.drop_secrets_of_deleted() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.agent_secrets s where s.user_id = new.user_id and s.agent_id = new.id;
    return null;
end
$$;
revoke all on function glovebox.drop_secrets_of_deleted() from public, anon, authenticated, service_role;
