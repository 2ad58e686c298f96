"""One statement for each table and verb, all aimed at Alice's rows, and who may do what."""

TABLES = (
    "agents",
    "agent_versions",
    "version_tiers",
    "runs",
    "run_logs",
    "credit_accounts",
    "credit_entries",
    "prices",
    "server_leases",
    "erased_users",
    "api_keys",
    "dry_run_rates",
    "run_cancellations",
    "idempotency_keys",
)
PRIVATE = ("server_leases", "erased_users", "idempotency_keys")  # for no role that only reads
VERBS = ("select", "insert", "update", "delete")

# What a role may do to its own user's rows: s, i, u, d. Whoever is not listed may do nothing.
RIGHTS = {
    "authenticated": dict.fromkeys([table for table in TABLES if table not in PRIVATE], "s"),
    "glovebox_dry": dict.fromkeys([table for table in TABLES if table not in PRIVATE], "s"),
    "glovebox_user": {
        "agents": "siu",
        "agent_versions": "si",
        "version_tiers": "si",
        "runs": "siu",
        "run_logs": "si",
        "credit_accounts": "s",
        "credit_entries": "s",
        "prices": "s",
        "api_keys": "siu",
        "dry_run_rates": "s",
        "run_cancellations": "si",
        "idempotency_keys": "siu",
    },
}

# What nobody may do at all: the constraint that refuses it, also to the superuser.
NEVER = {
    ("agents", "delete"): "agent_versions_of_agent",
    ("agent_versions", "delete"): "version_tiers_of_version",
    ("agent_versions", "update"): "agent_versions_immutable",
    ("credit_accounts", "update"): "credit_accounts_moved_by_entries",
    ("credit_accounts", "delete"): "credit_accounts_erased_only",
    ("credit_entries", "update"): "credit_entries_append_only",
    ("credit_entries", "delete"): "credit_entries_erased_only",
}

# Where a role may read some columns only, `*` would be refused for all.
API_KEY_COLUMNS = "id, user_id, name, prefix, last4, created_at, expires_at, last_used_at, revoked_at"

_INSERT = {
    "api_keys": "insert into public.api_keys (id, user_id, name, key_hash, prefix, last4)"
    " values (gen_random_uuid(), %(owner)s, '', sha256(gen_random_uuid()::text::bytea), 'abcdEFGH', 'wxyz')",
    "dry_run_rates": "insert into public.dry_run_rates (user_id, window_ends_at, taken)"
    " values (gen_random_uuid(), now(), 1)",
    "agents": "insert into public.agents (id, user_id, agent_name) values (gen_random_uuid(), %(owner)s, 'new')",
    "agent_versions": "insert into public.agent_versions (user_id, agent_id, version, code, tier, limits)"
    " values (%(owner)s, %(agent_id)s, 3, '', 'auto', '{\"wall_ms_max\": 1}')",
    "version_tiers": "insert into public.version_tiers (user_id, agent_id, version, resolved_tier)"
    " values (%(owner)s, %(agent_id)s, 2, 'monty')",
    "runs": "insert into public.runs (id, user_id, agent_id, agent_name, version, tier, wall, wall_missing, test,"
    " state, inputs, seed, server_id, prices, price_microcredits_max, hold_microcredits) values (gen_random_uuid(),"
    " %(owner)s, %(agent_id)s, 'hello', 1, 'monty', 'full', '{}', true, 'executing', '{}', 1,"
    " gen_random_uuid(), '{}', 5, 0)",
    "run_logs": "insert into public.run_logs (user_id, run_id, seq, at_ms, message)"
    " values (%(owner)s, %(run_id)s, 2, 0, 'forged')",
    "credit_accounts": "insert into public.credit_accounts (user_id) values (gen_random_uuid())",
    "credit_entries": "insert into public.credit_entries (user_id, kind, amount_microcredits,"
    " available_delta_microcredits, held_delta_microcredits, idempotency_key)"
    " values (%(owner)s, 'grant', 1, 1, 0, 'k')",
    "prices": "insert into public.prices (name, amount_microcredits, unit) values ('new', 1, 'unit')",
    "run_cancellations": "insert into public.run_cancellations (user_id, run_id) values (%(owner)s, %(run_id)s)",
    "idempotency_keys": "insert into public.idempotency_keys (user_id, key, request_hash, run_id, server_id)"
    " values (%(owner)s, 'new', sha256(''), gen_random_uuid(), gen_random_uuid())",
    "erased_users": "insert into public.erased_users (user_id) values (gen_random_uuid())",
    "server_leases": "insert into public.server_leases (server_id, expires_at) values (gen_random_uuid(), now())",
}
_UPDATE = {
    "api_keys": "update public.api_keys set revoked_at = null",
    "dry_run_rates": "update public.dry_run_rates set taken = 1",
    "agents": "update public.agents set description = 'changed'",
    "agent_versions": "update public.agent_versions set code = 'changed'",
    "version_tiers": "update public.version_tiers set resolved_tier = 'docker'",
    "runs": "update public.runs set state = 'failed', outcome = 'failed', finished_at = now(), revision = revision + 1",
    "run_logs": "update public.run_logs set message = 'changed'",
    "credit_accounts": "update public.credit_accounts set available_microcredits = 9000000000",
    "credit_entries": "update public.credit_entries set amount_microcredits = 9000000000",
    "prices": "update public.prices set amount_microcredits = 0",
    "run_cancellations": "update public.run_cancellations set requested_at = now()",
    "idempotency_keys": "update public.idempotency_keys set answered_at = null",
    "erased_users": "update public.erased_users set erased_at = now()",
    "server_leases": "update public.server_leases set expires_at = now()",
}


def _where(table: str, verb: str) -> str:
    if table in ("prices", "server_leases"):
        return ""
    live = " and outcome is null" if (table, verb) == ("runs", "update") else ""
    return f" where user_id = %(owner)s{live}"


def statement(table: str, verb: str) -> str:
    """The statement; it wants `owner`, and for inserts `agent_id` and `run_id`."""
    match verb:
        case "select":
            columns = API_KEY_COLUMNS if table == "api_keys" else "*"
            return f"select {columns} from public.{table}{_where(table, verb)}"  # noqa: S608 - names from the lists above
        case "insert":
            return _INSERT[table]
        case "update":
            return _UPDATE[table] + _where(table, verb)
    return f"delete from public.{table}{_where(table, verb)}"  # noqa: S608 - names from the lists above
