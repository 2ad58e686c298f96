-- How many dry runs a user began in the current hour, counted for all servers of the database in the statement that begins
-- one. Live runs never look at it: they are paid for.
-- Locks nothing: the table is new.

create table public.dry_run_rates (
    user_id uuid not null constraint dry_run_rates_pkey primary key,
    -- The hour begins with the first dry run after the hour before.
    window_ends_at timestamptz not null,
    taken integer not null,
    constraint dry_run_rates_counted check (taken >= 1)
) with (fillfactor = 50); -- every dry run updates its user's row: room to do it in place

revoke all on public.dry_run_rates from public, anon, authenticated, service_role;
grant select on public.dry_run_rates to authenticated, glovebox_user, glovebox_dry;
grant select, insert, update, delete on public.dry_run_rates to glovebox_ledger;

alter table public.dry_run_rates enable row level security;
alter table public.dry_run_rates force row level security;
create policy dry_run_rates_read on public.dry_run_rates for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy dry_run_rates_keep on public.dry_run_rates for all to glovebox_ledger using (true) with check (true);

create function glovebox.take_dry_run(
    p_user_id uuid, p_per_hour_max integer, out admitted boolean, out remaining integer, out reset_ms bigint
)
language plpgsql security definer set search_path = '' as $$
declare
    ends_at timestamptz;
begin
    insert into public.dry_run_rates as r (user_id, window_ends_at, taken)
    values (p_user_id, clock_timestamp() + interval '1 hour', 1)
    on conflict on constraint dry_run_rates_pkey do update
    set window_ends_at = case when r.window_ends_at <= clock_timestamp() then excluded.window_ends_at
            else r.window_ends_at end,
        taken = case when r.window_ends_at <= clock_timestamp() then 1 else r.taken + 1 end
    where r.taken < p_per_hour_max or r.window_ends_at <= clock_timestamp()
    returning p_per_hour_max - r.taken, r.window_ends_at into remaining, ends_at;
    admitted := found;
    if not admitted then
        remaining := 0;
        select r.window_ends_at into strict ends_at from public.dry_run_rates r where r.user_id = p_user_id;
    end if;
    reset_ms := greatest(0, ceil(extract(epoch from ends_at - clock_timestamp()) * 1000));
end
$$;

revoke all on function glovebox.take_dry_run(uuid, integer) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.take_dry_run(uuid, integer) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
