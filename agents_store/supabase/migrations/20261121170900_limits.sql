-- Limits that the operator sets for all servers while they run, as rows: each goes before the setting of its name.
-- Locks nothing: the table is new.

create table public.limits (
    name text not null constraint limits_pkey primary key,
    amount bigint not null,
    updated_at timestamptz not null default now(),
    constraint limits_name_known check (name in ('user_runs_live_max', 'user_dry_runs_live_max',
        'user_dry_runs_per_hour_max', 'wall_ms_ceiling', 'cpu_ms_ceiling', 'memory_bytes_ceiling',
        'output_bytes_ceiling', 'processes_ceiling', 'disk_bytes_ceiling', 'fetches_ceiling', 'calls_ceiling',
        'effects_bytes_ceiling')),
    constraint limits_amount_bounded check (amount between 0 and 1000000000000)
);

revoke all on public.limits from public, anon, authenticated, service_role;
grant select on public.limits to glovebox_ledger;

alter table public.limits enable row level security;
alter table public.limits force row level security;
create policy limits_read_by_ledger on public.limits for select to glovebox_ledger
    using (current_user = 'glovebox_ledger');
create policy limits_keep_by_owner on public.limits for all to current_user using (true) with check (true);

-- Servers that listen are told; the others look.
create function glovebox.tell_of_limits() returns trigger
language plpgsql set search_path = '' as $$
begin
    perform pg_notify('glovebox_limits', '');
    return null;
end
$$;
create trigger limits_told after insert or update or delete on public.limits
    for each statement execute function glovebox.tell_of_limits();

create function glovebox.read_limits() returns json
language sql stable security definer set search_path = '' as $$
    select coalesce(json_object_agg(l.name, l.amount), '{}') from public.limits l
$$;

create function glovebox.api_read_limits(p json) returns text
language sql stable set search_path = '' as $$
    select glovebox.read_limits()::text
$$;

revoke all on function glovebox.tell_of_limits(), glovebox.read_limits(), glovebox.api_read_limits(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_read_limits(json) to glovebox_ledger;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.read_limits() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
