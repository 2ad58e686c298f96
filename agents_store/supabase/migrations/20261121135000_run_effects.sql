-- Effects: what a run asked of its gloves, one row per call, in order. And what a run needs to know of gloves.
-- Takes a short exclusive lock on agent_versions, runs and prices; new columns have constant defaults, so that nothing is
-- rewritten.

alter table public.agent_versions
    add column allowed_hosts jsonb not null default '[]',
    add constraint agent_versions_hosts_are_list check (jsonb_typeof(allowed_hosts) = 'array');

alter table public.runs
    add column parent_run_id uuid, -- the run whose program called this one's agent
    add column complete boolean not null default true, -- false: a dry run that met an effect without an answer
    add column replayable boolean not null default true, -- false: it used randomness that no seed repeats
    add column glove_calls jsonb, -- how many of each priced kind; null for none
    drop constraint runs_hold_is_price_max,
    drop constraint runs_charge_within_hold,
    -- A called agent's run spends what is held for its caller's.
    add constraint runs_hold_is_price_max check (
        hold_microcredits = case when test or parent_run_id is not null then 0 else price_microcredits_max end
    ),
    add constraint runs_charge_within_hold check (
        charge_microcredits between 0 and case when test then 0 else price_microcredits_max end
    );
create index runs_of_parent on public.runs (user_id, parent_run_id) where parent_run_id is not null;
grant update (tier, wall, wall_missing, complete, replayable, glove_calls) on public.runs to glovebox_user;

-- Nobody has a policy to write prices, so that for these rows its owner must not be held by them.
alter table public.prices no force row level security;
insert into public.prices (name, amount_microcredits, unit) values
    ('fetch', 100, 'HTTP request of an agent'),
    ('glove_call', 10, 'any other call of a glove, but log');
alter table public.prices force row level security;

create table public.run_effects (
    user_id uuid not null,
    run_id uuid not null,
    seq integer not null,
    glove text not null,
    request json not null, -- json, not jsonb: the program's own text, which a replay answers with
    response json, -- null: nothing came back, or null did
    error jsonb, -- what the program got instead
    status text not null,
    at_ms integer not null,
    duration_ms integer not null,
    constraint run_effects_pkey primary key (user_id, run_id, seq),
    constraint run_effects_of_run foreign key (user_id, run_id) references public.runs (user_id, id) on delete cascade,
    constraint run_effects_counted check (seq >= 1),
    constraint run_effects_timed check (least(at_ms, duration_ms) >= 0),
    constraint run_effects_error_is_object check (jsonb_typeof(error) = 'object'),
    constraint run_effects_status_known check (
        status in ('performed', 'withheld', 'mocked', 'refused', 'failed', 'unknown')
    )
);

revoke all on public.run_effects from public, anon, authenticated, service_role;
grant select on public.run_effects to authenticated, glovebox_user, glovebox_dry;
grant insert, update (response, error, status, duration_ms) on public.run_effects to glovebox_user;
grant select, delete on public.run_effects to glovebox_ledger;

alter table public.run_effects enable row level security;
alter table public.run_effects force row level security;
create policy run_effects_read on public.run_effects for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy run_effects_add on public.run_effects for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy run_effects_change on public.run_effects for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy run_effects_remove_by_ledger on public.run_effects for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');
