-- Log lines of a run that still lives, so that it can be followed. The server calls it as glovebox_login.
-- Locks nothing.

create function glovebox.append_logs(p_claims text, p_run_id uuid, p_revision integer, p_logs json) returns boolean
language plpgsql security invoker set search_path = '' as $$
declare
    owner_id uuid;
begin
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    -- Shared with nobody who ends the run: what comes after the end finds no row here.
    select r.user_id into owner_id
    from public.runs r
    where r.id = p_run_id and r.revision = p_revision and r.state = 'executing'
    for share;
    if not found then
        return false;
    end if;

    insert into public.run_logs (user_id, run_id, seq, at_ms, message, fields)
    select owner_id, p_run_id, l.seq, l.at_ms, l.message, l.fields
    from json_to_recordset(p_logs) as l (seq integer, at_ms integer, message text, fields jsonb)
    -- An append without an answer is sent again.
    on conflict on constraint run_logs_pkey do nothing;
    perform pg_notify('glovebox_logs', p_run_id::text);
    return true;
end
$$;

revoke all on function glovebox.append_logs(text, uuid, integer, json) from public, anon, authenticated, service_role;
