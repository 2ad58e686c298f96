-- Leases of server processes, and what the store asks before it opens. All run as glovebox_login itself.

-- name: register_server
select glovebox.register_server(%(server_id)s);

-- name: retire_server
select glovebox.retire_server(%(server_id)s);

-- name: read_limits
select glovebox.read_limits();

-- name: live_servers
select glovebox.live_servers();

-- name: reap_runs
select glovebox.reap_runs(%(runs_max)s, %(abandoned)s, %(server_id)s);

-- name: ping
select 1;

-- name: describe_login
select
    current_user::text as role,
    current_setting('server_version_num')::integer as server_version,
    r.rolsuper as superuser,
    r.rolbypassrls as bypasses_rls,
    current_setting('statement_timeout') <> '0' and current_setting('lock_timeout') <> '0' as bounded,
    pg_has_role(current_user, d.datdba, 'member') or exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'glovebox') and pg_has_role(current_user, c.relowner, 'member')
    ) as owner,
    coalesce(pg_has_role(current_user, to_regrole('glovebox_user')::oid, 'member'), false) as admitted,
    coalesce(pg_has_role(current_user, to_regrole('glovebox_user')::oid, 'usage'), false)
        or coalesce(pg_has_role(current_user, to_regrole('glovebox_ledger')::oid, 'member'), false) as inherits
from pg_roles r
cross join pg_database d
where r.rolname = current_user and d.datname = current_database();

-- name: schema_versions
select glovebox.schema_versions();
