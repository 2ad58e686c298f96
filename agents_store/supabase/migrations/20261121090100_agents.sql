-- Agents: one row per named program of one user. Deleting frees the name and keeps the row for its runs.
-- Locks nothing: the table is new.

create table public.agents (
    id uuid not null constraint agents_pkey primary key,
    user_id uuid not null,
    agent_name text not null,
    description text not null default '',
    status text not null default 'active',
    current_version integer not null default 1,
    revision integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    -- Target of the foreign keys that keep a user's rows to that user, and the order of lists.
    constraint agents_of_user unique (user_id, id),
    -- Not like a UUID: in a path a name and an id must never be taken for each other.
    constraint agents_name_valid check (
        agent_name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'
        and agent_name !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        and agent_name !~ '^[0-9a-f]{32}$'
    ),
    constraint agents_description_bounded check (octet_length(description) <= 65536),
    constraint agents_status_known check (status in ('active', 'deleted')),
    constraint agents_deleted_dated check ((status = 'deleted') = (deleted_at is not null)),
    constraint agents_current_version_counted check (current_version >= 1),
    constraint agents_revision_counted check (revision >= 1)
);
create unique index agents_name_once on public.agents (user_id, agent_name) where status = 'active';

revoke all on public.agents from public, anon, authenticated, service_role;
grant select on public.agents to authenticated, glovebox_user, glovebox_dry;
grant insert on public.agents to glovebox_user;
grant update (description, status, current_version, revision, updated_at, deleted_at) on public.agents to glovebox_user;

alter table public.agents enable row level security;
alter table public.agents force row level security;
create policy agents_read on public.agents for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy agents_add on public.agents for insert to glovebox_user
    with check (user_id = (select auth.uid()));
create policy agents_change on public.agents for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
