-- The ledger: append-only, each entry ties its two deltas to its kind and amount.
-- Locks nothing: the table is new.

create type glovebox.entry_kind as enum ('grant', 'hold', 'settle', 'release');

create table public.credit_entries (
    id bigint not null generated always as identity,
    user_id uuid not null,
    kind glovebox.entry_kind not null,
    amount_microcredits bigint not null,
    available_delta_microcredits bigint not null,
    held_delta_microcredits bigint not null,
    -- No foreign key: the ledger outlives the runs.
    run_id uuid,
    hold_id bigint,
    -- The user is in the key: a clash must not tell that somebody else's entry exists.
    idempotency_key text not null,
    created_at timestamptz not null default now(),
    constraint credit_entries_pkey primary key (user_id, id),
    constraint credit_entries_key_once unique (user_id, idempotency_key),
    constraint credit_entries_amount_not_negative check (
        amount_microcredits > 0 or (kind = 'settle' and amount_microcredits = 0)
    ),
    constraint credit_entries_fit_kind check (case kind
        when 'grant' then available_delta_microcredits = amount_microcredits and held_delta_microcredits = 0
            and run_id is null and hold_id is null
        when 'hold' then available_delta_microcredits = -amount_microcredits
            and held_delta_microcredits = amount_microcredits and run_id is not null and hold_id is null
        when 'settle' then available_delta_microcredits = -held_delta_microcredits - amount_microcredits
            and available_delta_microcredits >= 0 and held_delta_microcredits < 0
            and run_id is not null and hold_id is not null
        else available_delta_microcredits = amount_microcredits
            and held_delta_microcredits = -amount_microcredits and run_id is not null and hold_id is not null
        end)
);
-- A hold is closed exactly once.
create unique index credit_entries_hold_closed_once on public.credit_entries (hold_id) where hold_id is not null;

create trigger credit_entries_append_only before update or delete or truncate on public.credit_entries
    for each statement execute function glovebox.refuse_change();

revoke all on public.credit_entries from public, anon, authenticated, service_role;
grant select on public.credit_entries to authenticated, glovebox_user, glovebox_dry;
grant select, insert on public.credit_entries to glovebox_ledger;

alter table public.credit_entries enable row level security;
alter table public.credit_entries force row level security;
create policy credit_entries_read on public.credit_entries for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy credit_entries_read_by_ledger on public.credit_entries for select to glovebox_ledger using (true);
create policy credit_entries_append on public.credit_entries for insert to glovebox_ledger with check (true);
