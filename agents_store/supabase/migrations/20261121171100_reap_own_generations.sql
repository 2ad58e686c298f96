-- As of runs: a server ends the generations that it gave up on only where they are its own.
-- Locks nothing by itself; a call of reap_generations locks at most p_limit generations and their users' balances.

-- p_abandoned: generations of the living server p_server_id whose begin got no answer, so that nobody will finish them.
create function glovebox.reap_generations(p_limit integer, p_abandoned uuid[], p_server_id uuid) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    lost record;
    reaped integer := 0;
begin
    for lost in
        select g.id, g.user_id, g.hold_microcredits
        from public.generations g
        where g.state = 'generating' and (
            (g.id = any (p_abandoned) and g.server_id = p_server_id) or not exists (
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

revoke all on function glovebox.reap_generations(integer, uuid[], uuid) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.reap_generations(integer, uuid[], uuid) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;

create or replace function glovebox.api_reap_generations(p json) returns text
language sql set search_path = '' as $$
    select glovebox.reap_generations(
        (p ->> 'generations_max')::integer, array(select json_array_elements_text(p -> 'abandoned')::uuid),
        (p ->> 'server_id')::uuid
    )::text
$$;
drop function glovebox.reap_generations(integer, uuid[]);
