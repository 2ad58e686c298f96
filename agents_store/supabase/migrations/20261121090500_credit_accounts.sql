-- Balances: one row per user, made with its first grant. Only ledger entries move them (next migration).
-- Locks nothing: the table is new.

create table public.credit_accounts (
    user_id uuid not null constraint credit_accounts_pkey primary key,
    available_microcredits bigint not null default 0,
    held_microcredits bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint credit_accounts_available_not_negative check (available_microcredits >= 0),
    constraint credit_accounts_held_not_negative check (held_microcredits >= 0)
) with (fillfactor = 50); -- every run updates its user's row twice: room to do it in place

create function glovebox.refuse_direct_balance() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception 'a balance is moved by ledger entries only: % refused', lower(tg_op)
        using errcode = 'restrict_violation', constraint = tg_name;
end
$$;
revoke all on function glovebox.refuse_direct_balance() from public, anon, authenticated, service_role;

-- A statement inside another table's trigger has depth 1 and passes; anybody's own statement has depth 0.
create trigger credit_accounts_moved_by_entries before update on public.credit_accounts
    for each row when (pg_trigger_depth() = 0) execute function glovebox.refuse_direct_balance();
create trigger credit_accounts_start_empty before insert on public.credit_accounts
    for each row when (new.available_microcredits <> 0 or new.held_microcredits <> 0)
    execute function glovebox.refuse_direct_balance();
create trigger credit_accounts_stay before delete or truncate on public.credit_accounts
    for each statement execute function glovebox.refuse_direct_balance();

revoke all on public.credit_accounts from public, anon, authenticated, service_role;
grant select on public.credit_accounts to authenticated, glovebox_user, glovebox_dry;
grant select, insert, update on public.credit_accounts to glovebox_ledger;

alter table public.credit_accounts enable row level security;
alter table public.credit_accounts force row level security;
create policy credit_accounts_read on public.credit_accounts for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy credit_accounts_keep on public.credit_accounts for all to glovebox_ledger
    using (true) with check (true);
