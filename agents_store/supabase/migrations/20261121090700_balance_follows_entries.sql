-- Each new entry moves its account's balance, whoever writes it: the only writer of balances.
-- Takes a short exclusive lock on credit_entries, which is new.

create function glovebox.apply_entry() returns trigger
language plpgsql set search_path = '' as $$
begin
    -- A close must give back exactly what its own hold took. The reader of the hold needs no lock: entries never change.
    if new.kind in ('settle', 'release') and not exists (
        select from public.credit_entries h
        where h.user_id = new.user_id and h.id = new.hold_id and h.kind = 'hold' and h.run_id = new.run_id
            and h.amount_microcredits = -new.held_delta_microcredits
    ) then
        raise exception 'entry closes no hold of its user and run'
            using errcode = 'check_violation', constraint = 'credit_entries_closes_its_hold';
    end if;

    -- Last, because this row lock is what concurrent runs of one user wait for.
    update public.credit_accounts
    set available_microcredits = available_microcredits + new.available_delta_microcredits,
        held_microcredits = held_microcredits + new.held_delta_microcredits,
        updated_at = now()
    where user_id = new.user_id;
    if not found then
        raise exception 'no credit account for this entry'
            using errcode = 'foreign_key_violation', constraint = 'credit_entries_of_account';
    end if;
    return null;
end
$$;
revoke all on function glovebox.apply_entry() from public, anon, authenticated, service_role;
create trigger credit_entries_move_balance after insert on public.credit_entries
    for each row execute function glovebox.apply_entry();

-- Accounts whose balance is not the sum of their entries. None, or the books are wrong.
create function glovebox.audit_balances()
returns table (
    user_id uuid, available_microcredits bigint, held_microcredits bigint,
    available_sum_microcredits numeric, held_sum_microcredits numeric
)
language sql stable security definer set search_path = '' as $$
    select a.user_id, a.available_microcredits, a.held_microcredits, coalesce(e.available, 0), coalesce(e.held, 0)
    from public.credit_accounts a
    left join (
        select c.user_id, sum(c.available_delta_microcredits) as available, sum(c.held_delta_microcredits) as held
        from public.credit_entries c group by c.user_id
    ) e on e.user_id = a.user_id
    where (a.available_microcredits, a.held_microcredits) is distinct from (coalesce(e.available, 0), coalesce(e.held, 0))
$$;
revoke all on function glovebox.audit_balances() from public, anon, authenticated, service_role;

grant create on schema glovebox to glovebox_ledger;
alter function glovebox.audit_balances() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
