-- A run that meets what its tier cannot do raises the version's tier. A tier never sinks, and one that was asked for by
-- name never moves.
-- Locks version_tiers for a moment.

create function glovebox.check_tier_rises() returns trigger
language plpgsql set search_path = '' as $$
declare
    tiers constant text[] := array['monty', 'restricted', 'docker'];
begin
    if (new.user_id, new.agent_id, new.version, new.created_at)
            is distinct from (old.user_id, old.agent_id, old.version, old.created_at)
        or array_position(tiers, new.resolved_tier) <= array_position(tiers, old.resolved_tier)
        or not exists (
            select from public.agent_versions v
            where v.user_id = old.user_id and v.agent_id = old.agent_id and v.version = old.version and v.tier = 'auto'
        )
    then
        raise exception 'a tier only rises, and only where it was chosen for the author'
            using errcode = 'restrict_violation', constraint = tg_name;
    end if;
    return new;
end
$$;
revoke all on function glovebox.check_tier_rises() from public, anon, authenticated, service_role;
create trigger version_tiers_only_rise before update on public.version_tiers
    for each row execute function glovebox.check_tier_rises();

grant update (resolved_tier, reasons) on public.version_tiers to glovebox_user;
create policy version_tiers_raise on public.version_tiers for update to glovebox_user
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
