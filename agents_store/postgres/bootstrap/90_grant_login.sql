-- Lets glovebox_login do what the server needs, and no more. As the owner, after the migrations; `glovebox db migrate`
-- runs it. May be run again at any time.

-- The role is NOINHERIT: it may become these, and has none of their rights until it does.
grant glovebox_user, glovebox_dry to glovebox_login;

grant usage on schema glovebox to glovebox_login;
grant execute on function
    glovebox.begin_run(text, uuid, uuid, integer, boolean, json, bigint, glovebox.run_wall, text[], uuid, uuid),
    glovebox.finish_run(text, uuid, integer, glovebox.run_state, glovebox.run_outcome, text, boolean, json, jsonb,
        integer, integer, bigint, bigint, json, json, jsonb, text, glovebox.run_wall, text[], boolean, boolean),
    glovebox.register_server(uuid),
    glovebox.retire_server(uuid),
    glovebox.live_servers(),
    glovebox.read_limits(),
    glovebox.reap_runs(integer, uuid[], uuid),
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
    glovebox.begin_generation(text, uuid, glovebox.generation_kind, text, text, text, integer, integer, bigint, bigint,
        uuid),
    glovebox.finish_generation(text, uuid, glovebox.generation_state, text, bigint, bigint, bigint, bigint, jsonb,
        integer),
    glovebox.reap_generations(integer, uuid[], uuid),
    glovebox.purge_generations(bigint, integer),
    glovebox.begin_apply(text, uuid, uuid, json, uuid, integer, json, glovebox.run_wall, text[], uuid),
    glovebox.find_secret(uuid, uuid, text),
    glovebox.reserve_file(text),
    glovebox.find_unneeded_files(integer),
    glovebox.forget_files(text[]),
    glovebox.schema_versions()
to glovebox_login;

-- Memory is searched with pgvector, wherever that is. It may have been made after the migrations.
do $$
declare
    home name := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector'
    );
begin
    if home is not null then
        execute format('grant usage on schema %I to glovebox_user, glovebox_dry', home);
    end if;
exception when insufficient_privilege then
    raise notice 'pgvector is where it cannot be used: memory cannot be searched by meaning';
end
$$;
