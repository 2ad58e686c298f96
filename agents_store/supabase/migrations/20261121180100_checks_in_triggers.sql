-- What every write of a run and of an entry must keep to, in the trigger that each of them has already: checks of a table
-- are parsed anew for each write, which was a tenth of its time. They refuse the same, by the same names.
-- Takes a short exclusive lock on runs and credit_entries; nothing is rewritten.

create or replace function glovebox.check_run_transition() returns trigger
language plpgsql set search_path = '' as $$
begin
    if tg_op = 'INSERT' then
        if new.state not in ('created', 'executing') or new.revision <> 1 then
            raise exception 'a run does not start as %', new.state
                using errcode = 'check_violation', constraint = 'runs_transition_permitted';
        end if;
    elsif new.revision <> old.revision + 1 or (old.state, new.state) not in (
        ('created', 'executing'),
        ('created', 'failed'),
        ('created', 'cancelled'),
        ('executing', 'completed'),
        ('executing', 'failed'),
        ('executing', 'cancelled')
    ) then
        raise exception 'a run does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'runs_transition_permitted';
    end if;

    if (new.outcome is null) <> (new.finished_at is null)
        or (new.result is not null and new.state <> 'completed')
        or not coalesce(case new.state
            when 'completed' then new.outcome = 'succeeded'
            when 'cancelled' then new.outcome = 'cancelled'
            when 'failed' then new.outcome not in ('succeeded', 'cancelled')
            else new.outcome is null
        end, false)
    then
        raise exception 'outcome % does not fit state %', new.outcome, new.state
            using errcode = 'check_violation', constraint = 'runs_state_fits_outcome';
    end if;

    if new.seed < 0 then
        raise exception 'a seed is not negative'
            using errcode = 'check_violation', constraint = 'runs_seed_not_negative';
    end if;
    if least(new.wall_ms, new.cpu_ms, new.peak_memory_bytes, new.output_bytes) < 0 then
        raise exception 'a run uses no less than nothing'
            using errcode = 'check_violation', constraint = 'runs_usage_not_negative';
    end if;
    -- A called agent's run spends what is held for its caller's.
    if new.hold_microcredits is distinct from
        (case when new.test or new.parent_run_id is not null then 0 else new.price_microcredits_max end)
    then
        raise exception 'a run holds the most that it may cost'
            using errcode = 'check_violation', constraint = 'runs_hold_is_price_max';
    end if;
    if new.charge_microcredits < 0
        or new.charge_microcredits > (case when new.test then 0 else new.price_microcredits_max end)
    then
        raise exception 'a run costs no more than was held for it'
            using errcode = 'check_violation', constraint = 'runs_charge_within_hold';
    end if;
    return new;
end
$$;

alter table public.runs
    drop constraint runs_seed_not_negative,
    drop constraint runs_usage_not_negative,
    drop constraint runs_hold_is_price_max,
    drop constraint runs_charge_within_hold;

create or replace function glovebox.apply_entry() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.amount_microcredits < 0 or (new.amount_microcredits = 0 and new.kind <> 'settle') then
        raise exception 'an entry has no such amount'
            using errcode = 'check_violation', constraint = 'credit_entries_amount_not_negative';
    end if;
    -- Each entry ties its two deltas to its kind and amount.
    if not coalesce(
        (new.pricing is null or (new.kind = 'settle' and new.generation_id is not null))
        and num_nonnulls(new.run_id, new.generation_id) = case when new.kind = 'grant' then 0 else 1 end
        and case new.kind
            when 'grant' then new.available_delta_microcredits = new.amount_microcredits
                and new.held_delta_microcredits = 0 and new.hold_id is null
            when 'hold' then new.available_delta_microcredits = -new.amount_microcredits
                and new.held_delta_microcredits = new.amount_microcredits and new.hold_id is null
            when 'settle' then
                new.available_delta_microcredits = -new.held_delta_microcredits - new.amount_microcredits
                and new.available_delta_microcredits >= 0 and new.held_delta_microcredits < 0
                and new.hold_id is not null
            else new.available_delta_microcredits = new.amount_microcredits
                and new.held_delta_microcredits = -new.amount_microcredits and new.hold_id is not null
        end, false)
    then
        raise exception 'the deltas of an entry do not fit its kind'
            using errcode = 'check_violation', constraint = 'credit_entries_fit_kind';
    end if;

    -- A close must give back exactly what the hold of its own run or generation took. The reader of the hold needs no
    -- lock: entries never change.
    if new.kind in ('settle', 'release') then
        if not exists (
            select from public.credit_entries h
            where h.user_id = new.user_id and h.id = new.hold_id and h.kind = 'hold'
                and h.run_id is not distinct from new.run_id and h.generation_id is not distinct from new.generation_id
                and h.amount_microcredits = -new.held_delta_microcredits
        ) then
            raise exception 'entry closes no hold of its user and run'
                using errcode = 'check_violation', constraint = 'credit_entries_closes_its_hold';
        end if;
    end if;

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

alter table public.credit_entries
    drop constraint credit_entries_amount_not_negative,
    drop constraint credit_entries_fit_kind;
