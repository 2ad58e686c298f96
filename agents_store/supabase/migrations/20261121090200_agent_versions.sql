-- Versions: what an agent's code and contract were at one revision. Never changed once written.
-- Locks nothing: the table is new.

create table public.agent_versions (
    user_id uuid not null,
    agent_id uuid not null,
    version integer not null,
    code text not null,
    tier text not null,
    limits jsonb not null,
    inputs_schema jsonb,
    examples jsonb not null default '[]',
    created_at timestamptz not null default now(),
    constraint agent_versions_pkey primary key (user_id, agent_id, version),
    constraint agent_versions_of_agent foreign key (user_id, agent_id) references public.agents (user_id, id),
    constraint agent_versions_counted check (version >= 1),
    constraint agent_versions_code_bounded check (octet_length(code) <= 262144),
    constraint agent_versions_tier_known check (tier in ('auto', 'monty', 'restricted', 'docker')),
    -- The hold is priced by it, so a version without it could not be run.
    constraint agent_versions_wall_ms_limited check (
        coalesce(limits ->> 'wall_ms_max' ~ '^[1-9][0-9]{0,8}$', false)
    ),
    constraint agent_versions_schema_is_object check (jsonb_typeof(inputs_schema) = 'object'),
    constraint agent_versions_examples_are_list check (jsonb_typeof(examples) = 'array')
);

create function glovebox.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception '%.% is never changed: % refused', tg_table_schema, tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', constraint = tg_name;
end
$$;
revoke all on function glovebox.refuse_change() from public, anon, authenticated, service_role;
create trigger agent_versions_immutable before update or truncate on public.agent_versions
    for each statement execute function glovebox.refuse_change();

revoke all on public.agent_versions from public, anon, authenticated, service_role;
grant select on public.agent_versions to authenticated, glovebox_user, glovebox_dry;
grant insert on public.agent_versions to glovebox_user;

alter table public.agent_versions enable row level security;
alter table public.agent_versions force row level security;
create policy agent_versions_read on public.agent_versions for select to authenticated, glovebox_user, glovebox_dry
    using (user_id = (select auth.uid()));
create policy agent_versions_add on public.agent_versions for insert to glovebox_user
    with check (user_id = (select auth.uid()));
