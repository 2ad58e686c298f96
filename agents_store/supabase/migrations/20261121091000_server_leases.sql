-- Leases: which server processes live. A run whose server has none is lost.
-- Locks nothing: the table is new.

create table public.server_leases (
    server_id uuid not null constraint server_leases_pkey primary key,
    expires_at timestamptz not null,
    created_at timestamptz not null default now()
);

revoke all on public.server_leases from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.server_leases to glovebox_ledger;

alter table public.server_leases enable row level security;
alter table public.server_leases force row level security;
create policy server_leases_keep on public.server_leases for all to glovebox_ledger using (true) with check (true);

-- All moments are the database's, so that no server's clock can end another's runs.
create function glovebox.register_server(p_server_id uuid) returns void
language sql security definer set search_path = '' as $$
    insert into public.server_leases (server_id, expires_at)
    values (p_server_id, clock_timestamp() + interval '15 seconds')
    on conflict on constraint server_leases_pkey do update set expires_at = excluded.expires_at
$$;

create function glovebox.retire_server(p_server_id uuid) returns void
language sql security definer set search_path = '' as $$
    delete from public.server_leases where server_id = p_server_id
$$;

revoke all on function glovebox.register_server(uuid), glovebox.retire_server(uuid)
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.register_server(uuid) owner to glovebox_ledger;
alter function glovebox.retire_server(uuid) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
