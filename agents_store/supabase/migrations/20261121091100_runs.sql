-- Runs: one row per execution, from begin to its one final state.
-- Locks nothing: the table is new.

-- Types, not checks on text: every run is written twice, and a check on words costs more than the write of a row's index.
create type glovebox.run_kind as enum ('invocation');
create type glovebox.run_wall as enum ('full', 'minimum');
create type glovebox.run_state as enum ('created', 'executing', 'completed', 'failed', 'cancelled');
create type glovebox.run_outcome as enum ('succeeded', 'failed', 'bad_result', 'rejected', 'tier_unsuited', 'timed_out',
    'out_of_memory', 'too_much_output', 'too_many_processes', 'disk_full', 'cancelled');

create table public.runs (
    id uuid not null constraint runs_pkey primary key,
    user_id uuid not null,
    kind glovebox.run_kind not null default 'invocation',
    -- No foreign keys to agent and version: a run outlives them, and their row locks would make an agent's runs wait.
    agent_id uuid not null,
    agent_name text not null,
    version integer not null,
    tier text not null,
    wall glovebox.run_wall not null,
    wall_missing text[] not null,
    test boolean not null,
    state glovebox.run_state not null,
    revision integer not null default 1,
    outcome glovebox.run_outcome,
    reason text,
    inputs json not null, -- json, not jsonb: the caller's and the agent's own text
    result json,
    error jsonb,
    seed bigint not null,
    wall_ms integer,
    cpu_ms integer,
    peak_memory_bytes bigint,
    output_bytes bigint,
    server_id uuid not null,
    prices jsonb not null, -- as they were at begin
    price_microcredits_max bigint not null, -- the most that the limits allow
    hold_microcredits bigint not null,
    charge_microcredits bigint not null default 0,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint runs_of_user unique (user_id, id),
    constraint runs_seed_not_negative check (seed >= 0),
    constraint runs_usage_not_negative check (least(wall_ms, cpu_ms, peak_memory_bytes, output_bytes) >= 0),
    constraint runs_hold_is_price_max check (hold_microcredits = case when test then 0 else price_microcredits_max end),
    constraint runs_charge_within_hold check (charge_microcredits between 0 and hold_microcredits)
);
create index runs_of_agent on public.runs (user_id, agent_name, id);
-- What reaping looks at: few rows, however many runs are stored.
create index runs_live on public.runs (server_id) where outcome is null;

revoke all on public.runs from public, anon, authenticated, service_role;
grant select on public.runs to authenticated, glovebox_user, glovebox_dry, glovebox_ledger;
grant insert on public.runs to glovebox_user;
grant update (state, revision, outcome, reason, result, error, wall_ms, cpu_ms, peak_memory_bytes, output_bytes,
    charge_microcredits, finished_at) on public.runs to glovebox_user, glovebox_ledger;

alter table public.runs enable row level security;
alter table public.runs force row level security;
create policy runs_read on public.runs for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy runs_add on public.runs for insert to glovebox_user with check (user_id = (select auth.uid()));
create policy runs_change on public.runs for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy runs_read_by_ledger on public.runs for select to glovebox_ledger using (true);
create policy runs_end_by_ledger on public.runs for update to glovebox_ledger using (true) with check (true);
