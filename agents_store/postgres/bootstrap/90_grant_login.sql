-- Lets glovebox_login do what the server needs, and no more. As the owner, after the migrations; `glovebox db migrate`
-- runs it. May be run again at any time.

-- The role is NOINHERIT: it may become these, and has none of their rights until it does.
grant glovebox_user, glovebox_dry to glovebox_login;

grant usage on schema glovebox to glovebox_login;
grant execute on function
    glovebox.begin_run(text, uuid, uuid, integer, boolean, json, bigint, glovebox.run_wall, text[], uuid),
    glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json, jsonb,
        integer, integer, bigint, bigint, json),
    glovebox.register_server(uuid),
    glovebox.retire_server(uuid),
    glovebox.reap_runs(integer, uuid[]),
    glovebox.purge(bigint, integer),
    glovebox.find_api_key(bytea),
    glovebox.touch_api_keys(uuid[]),
    glovebox.take_dry_run(uuid, integer),
    glovebox.append_logs(text, uuid, integer, json),
    glovebox.request_cancel(text, uuid),
    glovebox.cancel_requests(uuid),
    glovebox.claim_key(text, text, bytea, uuid, uuid),
    glovebox.keep_answer(text, text, uuid, uuid, integer, jsonb, bytea),
    glovebox.free_key(text, text, uuid, uuid, boolean),
    glovebox.purge_keys(integer),
    glovebox.schema_versions()
to glovebox_login;
