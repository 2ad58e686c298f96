-- Calls of the Data API on idempotency keys, API keys and balances. Each runs as glovebox_user, under RLS as the user.
-- Bytes are hexadecimal digits. Locks nothing.

create function glovebox.api_claim_key(p json) returns text
language sql set search_path = '' as $$
    select json_build_object(
        'status', c.status, 'run_id', c.run_id, 'http_status', c.http_status, 'headers', c.headers,
        'body', encode(c.body, 'hex')
    )::text
    from glovebox.claim_key(
        p_claims => current_setting('request.jwt.claims'), p_key => p ->> 'key',
        p_request_hash => decode(p ->> 'request_hash', 'hex'), p_run_id => (p ->> 'run_id')::uuid,
        p_server_id => (p ->> 'server_id')::uuid
    ) c
$$;

create function glovebox.api_keep_answer(p json) returns text
language sql set search_path = '' as $$
    select to_json(glovebox.keep_answer(
        p_claims => current_setting('request.jwt.claims'), p_key => p ->> 'key', p_run_id => (p ->> 'run_id')::uuid,
        p_server_id => (p ->> 'server_id')::uuid, p_status => (p ->> 'status')::integer,
        p_headers => (p ->> 'headers')::jsonb, p_body => decode(p ->> 'body', 'hex')
    ))::text
$$;

create function glovebox.api_free_key(p json) returns text
language sql set search_path = '' as $$
    select to_json(glovebox.free_key(
        p_claims => current_setting('request.jwt.claims'), p_key => p ->> 'key', p_run_id => (p ->> 'run_id')::uuid,
        p_server_id => (p ->> 'server_id')::uuid, p_in_doubt => (p ->> 'in_doubt')::boolean
    ))::text
$$;

create function glovebox.api_create_api_key(p json) returns text
language sql set search_path = '' as $$
    insert into public.api_keys (id, user_id, name, key_hash, prefix, last4, expires_at)
    values ((p ->> 'id')::uuid, glovebox.caller_id(), p ->> 'name', decode(p ->> 'key_hash', 'hex'), p ->> 'prefix',
        p ->> 'last4', now() + make_interval(days => (p ->> 'expires_in_days')::integer))
    returning json_build_object('id', id, 'name', name, 'prefix', prefix, 'last4', last4, 'created_at', created_at,
        'expires_at', expires_at, 'last_used_at', last_used_at, 'revoked_at', revoked_at)::text
$$;

create function glovebox.api_revoke_api_key(p json) returns text
language sql set search_path = '' as $$
    update public.api_keys set revoked_at = coalesce(revoked_at, now())
    where id = (p ->> 'id')::uuid
    returning to_json(id)::text
$$;

create function glovebox.api_get_balance(p json) returns text
language plpgsql set search_path = '' as $$
begin
    perform glovebox.ensure_account();
    return (
        select json_build_object('available_microcredits', a.available_microcredits,
            'held_microcredits', a.held_microcredits)::text
        from public.credit_accounts a
    );
end
$$;

grant execute on function glovebox.claim_key(text, text, bytea, uuid, uuid),
    glovebox.keep_answer(text, text, uuid, uuid, integer, jsonb, bytea),
    glovebox.free_key(text, text, uuid, uuid, boolean)
    to glovebox_user;
revoke all on function glovebox.api_claim_key(json), glovebox.api_keep_answer(json), glovebox.api_free_key(json),
    glovebox.api_create_api_key(json), glovebox.api_revoke_api_key(json), glovebox.api_get_balance(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_claim_key(json), glovebox.api_keep_answer(json), glovebox.api_free_key(json),
    glovebox.api_create_api_key(json), glovebox.api_revoke_api_key(json), glovebox.api_get_balance(json)
    to glovebox_user;
