-- The ledger stays append-only but for one way out: a whole account, in the transaction that left its tombstone.
-- Takes a short exclusive lock on credit_entries and credit_accounts.

create function glovebox.refuse_all_but_erasure() returns trigger
language plpgsql set search_path = '' as $$
begin
    if exists (
        select from gone g where not exists (
            select from public.erased_users e
            where e.user_id = g.user_id and e.erased_in = pg_catalog.pg_current_xact_id()
        )
    ) then
        raise exception '%.% loses no row but with its user', tg_table_schema, tg_table_name
            using errcode = 'restrict_violation', constraint = tg_name;
    end if;
    return null;
end
$$;
revoke all on function glovebox.refuse_all_but_erasure() from public, anon, authenticated, service_role;

drop trigger credit_entries_append_only on public.credit_entries;
create trigger credit_entries_append_only before update or truncate on public.credit_entries
    for each statement execute function glovebox.refuse_change();
create trigger credit_entries_erased_only after delete on public.credit_entries referencing old table as gone
    for each statement execute function glovebox.refuse_all_but_erasure();

drop trigger credit_accounts_stay on public.credit_accounts;
create trigger credit_accounts_stay before truncate on public.credit_accounts
    for each statement execute function glovebox.refuse_direct_balance();
create trigger credit_accounts_erased_only after delete on public.credit_accounts referencing old table as gone
    for each statement execute function glovebox.refuse_all_but_erasure();
