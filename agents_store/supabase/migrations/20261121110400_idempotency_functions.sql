-- Claim an idempotency key, keep the answer under it, purge what expired. The server calls them as glovebox_login.
-- Locks nothing.

create function glovebox.server_lives(p_server_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
    select exists (
        select from public.server_leases l where l.server_id = p_server_id and l.expires_at > clock_timestamp()
    )
$$;

-- What to do with a request, by `status`:
--   claimed    carry it out, and begin its run, if any, as run_id
--   answered   send what is kept
--   in_flight  another request with this key is being carried out
--   mismatch   the key belongs to another request
--   ran        its first carrier is gone; the run that it began has ended, and tells the answer
create function glovebox.claim_key(
    p_claims text, p_key text, p_request_hash bytea, p_run_id uuid, p_server_id uuid,
    out status text, out run_id uuid, out http_status integer, out headers jsonb, out body bytea
)
language plpgsql security invoker set search_path = '' as $$
declare
    kept public.idempotency_keys;
    run record;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    insert into public.idempotency_keys as k (user_id, key, request_hash, run_id, server_id)
    values (glovebox.caller_id(), p_key, p_request_hash, p_run_id, p_server_id)
    on conflict on constraint idempotency_keys_pkey do update
    set request_hash = excluded.request_hash, run_id = excluded.run_id, server_id = excluded.server_id,
        claimed_at = clock_timestamp(), expires_at = clock_timestamp() + interval '24 hours', answered_at = null,
        status = null, headers = null, body = null
    where k.expires_at <= clock_timestamp()
    returning k.run_id into claim_key.run_id;
    if found then
        status := 'claimed';
        return;
    end if;

    select * into kept from public.idempotency_keys k where k.key = p_key for update;
    if not found then -- it expired and was purged a moment ago
        status := 'in_flight';
        return;
    elsif kept.request_hash <> p_request_hash then
        status := 'mismatch';
        return;
    elsif kept.answered_at is not null then
        status := 'answered';
        http_status := kept.status;
        headers := kept.headers;
        body := kept.body;
        return;
    end if;

    run_id := kept.run_id;
    select r.outcome, r.finished_at into run from public.runs r where r.id = kept.run_id;
    if found then
        -- A living server keeps the answer within moments of the run's end, or never.
        if run.outcome is not null and (
            not glovebox.server_lives(kept.server_id)
            or greatest(run.finished_at, kept.claimed_at) < clock_timestamp() - interval '30 seconds'
        ) then
            status := 'ran';
        else
            status := 'in_flight';
        end if;
    elsif glovebox.server_lives(kept.server_id) and kept.claimed_at > clock_timestamp() - interval '15 minutes' then
        status := 'in_flight';
    else
        -- Its carrier is gone and began nothing. The run's id stays: should that begin arrive late, one of the two fails.
        status := 'claimed';
    end if;
    if status in ('claimed', 'ran') then
        update public.idempotency_keys k set server_id = p_server_id, claimed_at = clock_timestamp()
        where k.key = p_key;
    end if;
end
$$;

-- False where the key is not this server's claim any more.
create function glovebox.keep_answer(
    p_claims text, p_key text, p_run_id uuid, p_server_id uuid, p_status integer, p_headers jsonb, p_body bytea
) returns boolean
language plpgsql security invoker set search_path = '' as $$
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);
    update public.idempotency_keys k
    set answered_at = clock_timestamp(), status = p_status, headers = p_headers, body = p_body
    where k.key = p_key and k.run_id = p_run_id and k.server_id = p_server_id and k.answered_at is null;
    return found;
end
$$;

-- Let go of a claim whose request was not carried out, so that its repeat is. In doubt about its run, the claim stays for
-- whoever repeats the request, with the run's id.
create function glovebox.free_key(
    p_claims text, p_key text, p_run_id uuid, p_server_id uuid, p_in_doubt boolean
) returns boolean
language plpgsql security invoker set search_path = '' as $$
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);
    if p_in_doubt then
        update public.idempotency_keys k set server_id = '00000000-0000-0000-0000-000000000000'
        where k.key = p_key and k.run_id = p_run_id and k.server_id = p_server_id and k.answered_at is null;
    else
        update public.idempotency_keys k set expires_at = clock_timestamp()
        where k.key = p_key and k.run_id = p_run_id and k.server_id = p_server_id and k.answered_at is null;
    end if;
    return found;
end
$$;

-- How many expired keys were forgotten, at most p_limit.
create function glovebox.purge_keys(p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    purged integer;
begin
    delete from public.idempotency_keys k
    where (k.user_id, k.key) in (
        select e.user_id, e.key from public.idempotency_keys e
        where e.expires_at <= clock_timestamp()
        order by e.expires_at limit p_limit
    ) and k.expires_at <= clock_timestamp();
    get diagnostics purged = row_count;
    return purged;
end
$$;

revoke all on function glovebox.server_lives(uuid), glovebox.claim_key(text, text, bytea, uuid, uuid),
    glovebox.keep_answer(text, text, uuid, uuid, integer, jsonb, bytea), glovebox.free_key(text, text, uuid, uuid, boolean),
    glovebox.purge_keys(integer)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.server_lives(uuid) to glovebox_user;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.server_lives(uuid) owner to glovebox_ledger;
alter function glovebox.purge_keys(integer) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
