-- Which states a run may pass through, and what a state entails: the one list, in the trigger that keeps every run to it.
-- Takes a short exclusive lock on runs, which is new.

create function glovebox.check_run_transition() returns trigger
language plpgsql set search_path = '' as $$
begin
    if tg_op = 'INSERT' then
        if new.state not in ('created', 'executing') or new.revision <> 1 then
            raise exception 'a run does not start as %', new.state
                using errcode = 'check_violation', constraint = 'runs_transition_permitted';
        end if;
    elsif new.revision <> old.revision + 1 or (old.state, new.state) not in (
        ('created', 'executing'),
        ('created', 'failed'),
        ('created', 'cancelled'),
        ('executing', 'completed'),
        ('executing', 'failed'),
        ('executing', 'cancelled')
    ) then
        raise exception 'a run does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'runs_transition_permitted';
    end if;

    -- Here rather than in checks of the table: those are parsed anew for each write.
    if (new.outcome is null) <> (new.finished_at is null)
        or (new.result is not null and new.state <> 'completed')
        or not coalesce(case new.state
            when 'completed' then new.outcome = 'succeeded'
            when 'cancelled' then new.outcome = 'cancelled'
            when 'failed' then new.outcome not in ('succeeded', 'cancelled')
            else new.outcome is null
        end, false)
    then
        raise exception 'outcome % does not fit state %', new.outcome, new.state
            using errcode = 'check_violation', constraint = 'runs_state_fits_outcome';
    end if;
    return new;
end
$$;
revoke all on function glovebox.check_run_transition() from public, anon, authenticated, service_role;

create trigger runs_transition before insert or update on public.runs
    for each row execute function glovebox.check_run_transition();
