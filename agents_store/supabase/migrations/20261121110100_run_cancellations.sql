-- Requests to cancel live runs: kept here for the server that executes the run, which is told and also looks.
-- Locks nothing: the table is new.

create table public.run_cancellations (
    user_id uuid not null,
    run_id uuid not null,
    requested_at timestamptz not null default now(),
    constraint run_cancellations_pkey primary key (user_id, run_id),
    constraint run_cancellations_of_run foreign key (user_id, run_id)
        references public.runs (user_id, id) on delete cascade
);

revoke all on public.run_cancellations from public, anon, authenticated, service_role;
grant select on public.run_cancellations to authenticated, glovebox_user, glovebox_dry;
grant select, delete on public.run_cancellations to glovebox_ledger;
grant insert on public.run_cancellations to glovebox_user;

alter table public.run_cancellations enable row level security;
alter table public.run_cancellations force row level security;
create policy run_cancellations_read on public.run_cancellations for select
    to authenticated, glovebox_user, glovebox_dry using (user_id = (select auth.uid()));
create policy run_cancellations_add on public.run_cancellations for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy run_cancellations_keep on public.run_cancellations for all to glovebox_ledger
    using (true) with check (true);

-- The state of the run: a request was kept unless it is a final one. No row: the caller has no such run.
create function glovebox.request_cancel(p_claims text, p_run_id uuid) returns setof glovebox.run_state
language plpgsql security invoker set search_path = '' as $$
declare
    run record;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    select r.user_id, r.state, r.outcome into run from public.runs r where r.id = p_run_id;
    if not found then
        return;
    end if;
    if run.outcome is null then
        insert into public.run_cancellations (user_id, run_id) values (run.user_id, p_run_id)
        on conflict on constraint run_cancellations_pkey do nothing;
        perform pg_notify('glovebox_cancels', p_run_id::text);
    end if;
    return next run.state;
end
$$;

-- Live runs of one server whose owners asked to cancel them.
create function glovebox.cancel_requests(p_server_id uuid) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select r.id
    from public.runs r
    join public.run_cancellations c on c.user_id = r.user_id and c.run_id = r.id
    where r.server_id = p_server_id and r.outcome is null
$$;

revoke all on function glovebox.request_cancel(text, uuid), glovebox.cancel_requests(uuid)
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.cancel_requests(uuid) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
