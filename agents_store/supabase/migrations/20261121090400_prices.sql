-- What things cost, as rows: a price is changed by the operator, never by a release.
-- Locks nothing: the table is new. Its rows are written before row-level security is on.

create table public.prices (
    name text not null constraint prices_pkey primary key,
    amount_microcredits bigint not null,
    unit text not null,
    updated_at timestamptz not null default now(),
    constraint prices_name_valid check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    -- Far above any price, and so low that no product of two amounts leaves bigint.
    constraint prices_amount_bounded check (amount_microcredits between 0 and 1000000000000)
);

insert into public.prices (name, amount_microcredits, unit) values
    ('run', 1000, 'run'),
    ('wall_ms', 1, 'millisecond of wall time'),
    ('first_grant', 10000000, 'account, once, when it is first seen');

revoke all on public.prices from public, anon, authenticated, service_role;
grant select on public.prices to authenticated, glovebox_user, glovebox_dry, glovebox_ledger;

alter table public.prices enable row level security;
alter table public.prices force row level security;
-- Not a user's rows: whoever is signed in may know them.
create policy prices_read on public.prices for select to authenticated, glovebox_user, glovebox_dry
    using ((select auth.uid()) is not null);
create policy prices_read_by_ledger on public.prices for select to glovebox_ledger using (true);
create policy prices_set_by_owner on public.prices for update to current_user using (true) with check (true);
