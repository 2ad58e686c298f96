-- Finish a generation in one statement: fence, outcome, tokens, and last the credits. Reap what dead servers left; purge
-- what is past retention. The server calls all three as glovebox_login.
-- Locks nothing by itself; a call of reap_generations locks at most p_limit generations and their users' balances.

create function glovebox.finish_generation(
    p_claims text, p_generation_id uuid, p_state glovebox.generation_state, p_reason text, p_input_tokens bigint,
    p_output_tokens bigint, p_cache_read_tokens bigint, p_cache_write_tokens bigint, p_attempts jsonb,
    p_version integer,
    out finished boolean, out charge_microcredits bigint
)
language plpgsql security invoker set search_path = '' as $$
declare
    generation record;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    update public.generations g
    set state = p_state, reason = p_reason, input_tokens = p_input_tokens, output_tokens = p_output_tokens,
        cache_read_tokens = p_cache_read_tokens, cache_write_tokens = p_cache_write_tokens, attempts = p_attempts,
        version = p_version, finished_at = clock_timestamp(),
        charge_microcredits = glovebox.generation_price(g.prices, p_input_tokens, p_output_tokens,
            p_cache_read_tokens, p_cache_write_tokens, g.hold_microcredits)
    where g.id = p_generation_id and g.state = 'generating'
    returning g.hold_microcredits, g.charge_microcredits, g.model, g.prices into generation;
    finished := found;
    if not finished then
        return;
    end if;
    charge_microcredits := generation.charge_microcredits;
    if generation.hold_microcredits > 0 then
        perform glovebox.close_own_generation(
            p_generation_id,
            case when generation.charge_microcredits > 0 then generation.charge_microcredits end,
            generation.prices || jsonb_build_object(
                'model', generation.model, 'input_tokens', p_input_tokens, 'output_tokens', p_output_tokens,
                'cache_read_tokens', p_cache_read_tokens, 'cache_write_tokens', p_cache_write_tokens
            )
        );
    end if;
end
$$;

-- p_abandoned: generations of a live server whose begin got no answer, so that nobody will finish them.
create function glovebox.reap_generations(p_limit integer, p_abandoned uuid[]) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    lost record;
    reaped integer := 0;
begin
    for lost in
        select g.id, g.user_id, g.hold_microcredits
        from public.generations g
        where g.state = 'generating' and (
            g.id = any (p_abandoned) or not exists (
                select from public.server_leases l
                where l.server_id = g.server_id and l.expires_at > clock_timestamp()
            )
        )
        -- By user, so that two reapers never wait for each other's balances in a circle.
        order by g.user_id, g.id
        limit p_limit
        for update of g skip locked
    loop
        update public.generations g
        set state = 'failed', reason = 'lost', finished_at = clock_timestamp()
        where g.id = lost.id;
        if lost.hold_microcredits > 0 then
            perform glovebox.close_generation(lost.user_id, lost.id, null, null);
        end if;
        reaped := reaped + 1;
    end loop;
    return reaped;
end
$$;

create function glovebox.purge_generations(p_retention_ms bigint, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    purged integer;
begin
    with due as materialized (
        select o.id from public.generations o
        where o.state <> 'generating'
            and o.finished_at < clock_timestamp() - p_retention_ms * interval '1 millisecond'
        order by o.finished_at limit p_limit for update skip locked
    )
    delete from public.generations g using due where g.id = due.id;
    get diagnostics purged = row_count;
    return purged;
end
$$;

revoke all on function
    glovebox.finish_generation(text, uuid, glovebox.generation_state, text, bigint, bigint, bigint, bigint, jsonb,
        integer),
    glovebox.reap_generations(integer, uuid[]),
    glovebox.purge_generations(bigint, integer)
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.reap_generations(integer, uuid[]) owner to glovebox_ledger;
alter function glovebox.purge_generations(bigint, integer) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
