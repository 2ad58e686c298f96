-- Calls of the Data API that a server makes for nobody. Each runs as glovebox_ledger.
-- Locks nothing.

create function glovebox.api_schema_versions(p json) returns text
language sql stable set search_path = '' as $$
    select json_agg(v)::text from glovebox.schema_versions() v
$$;

create function glovebox.api_ping(p json) returns text
language sql stable set search_path = '' as $$
    select 'null'
$$;

create function glovebox.api_register_server(p json) returns text
language sql set search_path = '' as $$
    select glovebox.register_server((p ->> 'server_id')::uuid)::text
$$;

create function glovebox.api_retire_server(p json) returns text
language sql set search_path = '' as $$
    select glovebox.retire_server((p ->> 'server_id')::uuid)::text
$$;

create function glovebox.api_live_servers(p json) returns text
language sql stable set search_path = '' as $$
    select to_json(glovebox.live_servers())::text
$$;

-- Also forgets a batch of idempotency keys that expired.
create function glovebox.api_reap_runs(p json) returns text
language plpgsql set search_path = '' as $$
begin
    perform glovebox.purge_keys((p ->> 'keys_max')::integer);
    return glovebox.reap_runs(
        (p ->> 'runs_max')::integer, array(select json_array_elements_text(p -> 'abandoned')::uuid)
    )::text;
end
$$;

create function glovebox.api_purge(p json) returns text
language sql set search_path = '' as $$
    select to_json(g)::text from glovebox.purge((p ->> 'retention_ms')::bigint, (p ->> 'rows_max')::integer) g
$$;

create function glovebox.api_cancel_requests(p json) returns text
language sql set search_path = '' as $$
    select coalesce(json_agg(r), '[]')::text from glovebox.cancel_requests((p ->> 'server_id')::uuid) r
$$;

create function glovebox.api_announce_end(p json) returns text
language sql set search_path = '' as $$
    select pg_notify('glovebox_logs', p ->> 'run_id')::text
$$;

create function glovebox.api_find_api_key(p json) returns text
language sql set search_path = '' as $$
    select to_json(k)::text from glovebox.find_api_key(decode(p ->> 'key_hash', 'hex')) k
$$;

create function glovebox.api_touch_api_keys(p json) returns text
language sql set search_path = '' as $$
    select glovebox.touch_api_keys(array(select json_array_elements_text(p -> 'ids')::uuid))::text
$$;

revoke all on function glovebox.api_ping(json), glovebox.api_schema_versions(json), glovebox.api_register_server(json),
    glovebox.api_retire_server(json), glovebox.api_live_servers(json), glovebox.api_reap_runs(json), glovebox.api_purge(json),
    glovebox.api_cancel_requests(json), glovebox.api_announce_end(json), glovebox.api_find_api_key(json),
    glovebox.api_touch_api_keys(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_ping(json), glovebox.api_schema_versions(json), glovebox.api_register_server(json),
    glovebox.api_retire_server(json), glovebox.api_live_servers(json), glovebox.api_reap_runs(json), glovebox.api_purge(json),
    glovebox.api_cancel_requests(json), glovebox.api_announce_end(json), glovebox.api_find_api_key(json),
    glovebox.api_touch_api_keys(json)
    to glovebox_ledger;
