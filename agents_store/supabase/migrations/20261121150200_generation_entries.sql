-- The ledger takes holds of generations beside those of runs; a settled one tells tokens and prices.
-- Locks credit_entries for a moment: the columns are empty, and the new constraint is validated by the next migration.

alter table public.credit_entries
    add column generation_id uuid, -- no foreign key: the ledger outlives the generations
    add column pricing jsonb; -- of a generation that was charged: tokens of each kind, and what a million of them cost

alter table public.credit_entries drop constraint credit_entries_fit_kind;
alter table public.credit_entries add constraint credit_entries_fit_kind check (
    (pricing is null or (kind = 'settle' and generation_id is not null))
    and num_nonnulls(run_id, generation_id) = case when kind = 'grant' then 0 else 1 end
    and case kind
        when 'grant' then available_delta_microcredits = amount_microcredits and held_delta_microcredits = 0
            and hold_id is null
        when 'hold' then available_delta_microcredits = -amount_microcredits
            and held_delta_microcredits = amount_microcredits and hold_id is null
        when 'settle' then available_delta_microcredits = -held_delta_microcredits - amount_microcredits
            and available_delta_microcredits >= 0 and held_delta_microcredits < 0 and hold_id is not null
        else available_delta_microcredits = amount_microcredits
            and held_delta_microcredits = -amount_microcredits and hold_id is not null
        end
) not valid;

-- As before, for either: a close must give back exactly what the hold of its own run or generation took.
create or replace function glovebox.apply_entry() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.kind in ('settle', 'release') and not exists (
        select from public.credit_entries h
        where h.user_id = new.user_id and h.id = new.hold_id and h.kind = 'hold'
            and h.run_id is not distinct from new.run_id and h.generation_id is not distinct from new.generation_id
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
