-- Generations: one row for each time that a model was asked for an agent, with all its attempts. What none of them made an
-- agent of stays here as a draft.
-- Locks nothing: the table is new.

create type glovebox.generation_kind as enum ('create', 'revise');
create type glovebox.generation_state as enum ('generating', 'ready', 'failed', 'cancelled');

create table public.generations (
    id uuid not null constraint generations_pkey primary key,
    user_id uuid not null,
    kind glovebox.generation_kind not null,
    agent_name text not null, -- no foreign key: it may not be made yet, or be deleted since
    request text not null, -- the description, or the instruction
    state glovebox.generation_state not null default 'generating',
    reason text,
    model text not null,
    prompt_version integer not null,
    prices jsonb not null, -- as they were at begin
    hold_microcredits bigint not null,
    charge_microcredits bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    attempts jsonb not null default '[]',
    version integer, -- what it became
    server_id uuid not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint generations_of_user unique (user_id, id),
    constraint generations_usage_not_negative check (
        least(input_tokens, output_tokens, cache_read_tokens, cache_write_tokens) >= 0
    ),
    constraint generations_charge_within_hold check (charge_microcredits between 0 and hold_microcredits),
    constraint generations_ended_when_not_generating check ((state = 'generating') = (finished_at is null)),
    constraint generations_version_of_ready check ((version is not null) = (state = 'ready')),
    constraint generations_attempts_are_list check (jsonb_typeof(attempts) = 'array')
);
-- What reaping looks at: few rows, however many generations are stored.
create index generations_live on public.generations (server_id) where state = 'generating';
create index generations_finished on public.generations (finished_at) where state <> 'generating';

revoke all on public.generations from public, anon, authenticated, service_role;
grant select on public.generations to authenticated, glovebox_user, glovebox_dry;
grant insert on public.generations to glovebox_user;
grant update (state, reason, charge_microcredits, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    attempts, version, finished_at) on public.generations to glovebox_user, glovebox_ledger;
grant select, delete on public.generations to glovebox_ledger;

alter table public.generations enable row level security;
alter table public.generations force row level security;
create policy generations_read on public.generations for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy generations_add on public.generations for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy generations_change on public.generations for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy generations_keep_by_ledger on public.generations for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');
