-- Tombstones: who erased their account. A first grant is made once per user, so that erasing mints no credits.
-- Locks nothing: the table is new.

create table public.erased_users (
    user_id uuid not null constraint erased_users_pkey primary key,
    erased_at timestamptz not null default now(),
    -- The transaction that erases, which alone may remove this user's ledger (erase_account).
    erased_in xid8 not null default pg_current_xact_id()
);

revoke all on public.erased_users from public, anon, authenticated, service_role;
grant select, insert, update on public.erased_users to glovebox_ledger;

alter table public.erased_users enable row level security;
alter table public.erased_users force row level security;
create policy erased_users_keep on public.erased_users for all to glovebox_ledger using (true) with check (true);

-- As before, without a grant for whoever was erased.
create or replace function glovebox.open_account(p_user_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_accounts (user_id) values (p_user_id)
    on conflict on constraint credit_accounts_pkey do nothing;
    if not found then
        return;
    end if;
    -- A statement of its own, which sees what was committed while the one above waited for an erasing transaction.
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, idempotency_key)
    select p_user_id, 'grant', p.amount_microcredits, p.amount_microcredits, 0, 'first_grant'
    from public.prices p
    where p.name = 'first_grant' and p.amount_microcredits > 0
        and not exists (select from public.erased_users e where e.user_id = p_user_id);
end
$$;
