-- Log lines of runs.
-- Locks nothing: the table is new.

create table public.run_logs (
    user_id uuid not null,
    run_id uuid not null,
    seq integer not null,
    at_ms integer not null,
    message text not null,
    fields jsonb not null default '{}',
    constraint run_logs_pkey primary key (user_id, run_id, seq),
    constraint run_logs_of_run foreign key (user_id, run_id) references public.runs (user_id, id) on delete cascade,
    constraint run_logs_counted check (seq >= 1),
    constraint run_logs_at_ms_not_negative check (at_ms >= 0),
    constraint run_logs_fields_are_object check (jsonb_typeof(fields) = 'object')
);

revoke all on public.run_logs from public, anon, authenticated, service_role;
grant select on public.run_logs to authenticated, glovebox_user, glovebox_dry;
grant insert on public.run_logs to glovebox_user;

alter table public.run_logs enable row level security;
alter table public.run_logs force row level security;
create policy run_logs_read on public.run_logs for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy run_logs_add on public.run_logs for insert to glovebox_user
    with check (user_id = (select auth.uid()));
