-- Which tier a version came to, and why each lower one was passed over.
-- Locks nothing: the table is new.

create table public.version_tiers (
    user_id uuid not null,
    agent_id uuid not null,
    version integer not null,
    resolved_tier text not null,
    reasons jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint version_tiers_pkey primary key (user_id, agent_id, version),
    constraint version_tiers_of_version foreign key (user_id, agent_id, version)
        references public.agent_versions (user_id, agent_id, version),
    constraint version_tiers_tier_known check (resolved_tier in ('monty', 'restricted', 'docker')),
    constraint version_tiers_reasons_are_object check (jsonb_typeof(reasons) = 'object')
);

revoke all on public.version_tiers from public, anon, authenticated, service_role;
grant select on public.version_tiers to authenticated, glovebox_user, glovebox_dry;
grant insert on public.version_tiers to glovebox_user;

alter table public.version_tiers enable row level security;
alter table public.version_tiers force row level security;
create policy version_tiers_read on public.version_tiers for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy version_tiers_add on public.version_tiers for insert to glovebox_user
    with check (user_id = (select auth.uid()));
