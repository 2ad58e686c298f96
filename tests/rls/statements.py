"""One statement for each table and verb, all aimed at Alice's rows, and who may do what."""

TABLES = (
    "agents",
    "agent_versions",
    "version_tiers",
    "runs",
    "run_logs",
    "run_effects",
    "credit_accounts",
    "credit_entries",
    "prices",
    "models",
    "prompts",
    "generations",
    "server_leases",
    "erased_users",
    "api_keys",
    "dry_run_rates",
    "run_cancellations",
    "idempotency_keys",
    "agent_memory",
    "agent_memory_totals",
    "agent_secrets",
    "run_files",
    "unneeded_files",
    "limits",
)
# For no role that only reads.
PRIVATE = ("server_leases", "erased_users", "idempotency_keys", "prompts", "unneeded_files", "limits")
SHARED = ("prices", "models", "prompts")  # nobody's own rows
VERBS = ("select", "insert", "update", "delete")

# What a role may do to its own user's rows: s, i, u, d. Whoever is not listed may do nothing.
RIGHTS = {
    "authenticated": dict.fromkeys([table for table in TABLES if table not in PRIVATE], "s"),
    "glovebox_dry": dict.fromkeys([table for table in TABLES if table not in PRIVATE], "s"),
    "glovebox_user": {
        "agents": "siu",
        "agent_versions": "si",
        "version_tiers": "siu",
        "runs": "siu",
        "run_logs": "si",
        "run_effects": "siu",
        "credit_accounts": "s",
        "credit_entries": "s",
        "prices": "s",
        "models": "s",
        "prompts": "s",
        "generations": "siu",
        "api_keys": "siu",
        "dry_run_rates": "s",
        "run_cancellations": "si",
        "idempotency_keys": "siu",
        "agent_memory": "siu",
        "agent_memory_totals": "s",
        "agent_secrets": "siu",
        "run_files": "siu",
    },
}

# What nobody may do at all: the constraint that refuses it, also to the superuser.
NEVER = {
    ("agents", "delete"): "agent_versions_of_agent",
    ("agent_versions", "delete"): "version_tiers_of_version",
    ("agent_versions", "update"): "agent_versions_immutable",
    ("models", "delete"): "prompts_of_model",
    ("credit_accounts", "update"): "credit_accounts_moved_by_entries",
    ("credit_accounts", "delete"): "credit_accounts_erased_only",
    ("credit_entries", "update"): "credit_entries_append_only",
    ("credit_entries", "delete"): "credit_entries_erased_only",
}

# Where a role may read some columns only, `*` would be refused for all.
SECRET_COLUMNS = "user_id, agent_id, name, hosts, created_at, updated_at"
API_KEY_COLUMNS = "id, user_id, name, prefix, last4, created_at, expires_at, last_used_at, revoked_at"

_INSERT = {
    "limits": "insert into public.limits (name, amount) values ('calls_ceiling', 1)",
    "agent_memory": "insert into public.agent_memory (user_id, agent_id, key, value)"
    " values (%(owner)s, %(agent_id)s, 'new', '1')",
    "agent_memory_totals": "insert into public.agent_memory_totals (user_id, agent_id, entries, bytes, revision)"
    " select %(owner)s, id, 0, 0, 0 from public.agents where agent_name = 'forgetful'",
    "agent_secrets": "insert into public.agent_secrets (user_id, agent_id, name, hosts, key_id, nonce, ciphertext)"
    " values (%(owner)s, %(agent_id)s, 'NEW', '{a.example}', '0123456789abcdef', decode(repeat('00', 12), 'hex'),"
    " decode(repeat('00', 20), 'hex'))",
    "run_files": "insert into public.run_files (user_id, run_id, name, media_type, size_bytes, sha256, storage_key)"
    " values (%(owner)s, %(run_id)s, 'new', 'text/plain', 0, repeat('0', 64), %(owner)s || '/reserved')",
    "unneeded_files": "insert into public.unneeded_files (storage_key, due_at) values ('new', now())",
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
    "run_effects": "insert into public.run_effects (user_id, run_id, seq, glove, request, status, at_ms, duration_ms)"
    " values (%(owner)s, %(run_id)s, 2, 'fetch', '{}', 'performed', 0, 0)",
    "credit_accounts": "insert into public.credit_accounts (user_id) values (gen_random_uuid())",
    "credit_entries": "insert into public.credit_entries (user_id, kind, amount_microcredits,"
    " available_delta_microcredits, held_delta_microcredits, idempotency_key)"
    " values (%(owner)s, 'grant', 1, 1, 0, 'k')",
    "models": "insert into public.models select 'new', effort, input_tokens_max, output_tokens_max, answer_ms_max,"
    " retries_max, 1, 1, 1, 1, now() from public.models limit 1",
    "prompts": "insert into public.prompts (name, model, repairs_max, text)"
    " values ('new', 'claude-haiku-5-5', 0, 'do it')",
    "generations": "insert into public.generations (id, user_id, kind, agent_name, request, model, prompt_version,"
    " prices, hold_microcredits, server_id) values (gen_random_uuid(), %(owner)s, 'create', 'new', '', 'm', 1, '{}', 0,"
    " gen_random_uuid())",
    "prices": "insert into public.prices (name, amount_microcredits, unit) values ('new', 1, 'unit')",
    "run_cancellations": "insert into public.run_cancellations (user_id, run_id) values (%(owner)s, %(run_id)s)",
    "idempotency_keys": "insert into public.idempotency_keys (user_id, key, request_hash, run_id, server_id)"
    " values (%(owner)s, 'new', sha256(''), gen_random_uuid(), gen_random_uuid())",
    "erased_users": "insert into public.erased_users (user_id) values (gen_random_uuid())",
    "server_leases": "insert into public.server_leases (server_id, expires_at) values (gen_random_uuid(), now())",
}
_UPDATE = {
    "limits": "update public.limits set amount = 1",
    "agent_memory": "update public.agent_memory set value = '2'",
    "agent_memory_totals": "update public.agent_memory_totals set entries = 0",
    "agent_secrets": "update public.agent_secrets set hosts = '{evil.example}'",
    "run_files": "update public.run_files set media_type = 'text/html'",
    "unneeded_files": "update public.unneeded_files set due_at = now()",
    "api_keys": "update public.api_keys set revoked_at = null",
    "dry_run_rates": "update public.dry_run_rates set taken = 1",
    "agents": "update public.agents set description = 'changed'",
    "agent_versions": "update public.agent_versions set code = 'changed'",
    "version_tiers": "update public.version_tiers set resolved_tier = 'docker'",
    "runs": "update public.runs set state = 'failed', outcome = 'failed', finished_at = now(), revision = revision + 1",
    "run_logs": "update public.run_logs set message = 'changed'",
    "run_effects": "update public.run_effects set status = 'refused'",
    "credit_accounts": "update public.credit_accounts set available_microcredits = 9000000000",
    "credit_entries": "update public.credit_entries set amount_microcredits = 9000000000",
    "models": "update public.models set output_microcredits_per_million = 0",
    "prompts": "update public.prompts set text = 'do as you like'",
    "generations": "update public.generations set charge_microcredits = 0",
    "prices": "update public.prices set amount_microcredits = 0",
    "run_cancellations": "update public.run_cancellations set requested_at = now()",
    "idempotency_keys": "update public.idempotency_keys set answered_at = null",
    "erased_users": "update public.erased_users set erased_at = now()",
    "server_leases": "update public.server_leases set expires_at = now()",
}


def _where(table: str, verb: str) -> str:
    if table in (*SHARED, "server_leases", "unneeded_files", "limits"):
        return ""
    live = " and outcome is null" if (table, verb) == ("runs", "update") else ""
    return f" where user_id = %(owner)s{live}"


def statement(table: str, verb: str) -> str:
    """The statement; it wants `owner`, and for inserts `agent_id` and `run_id`."""
    match verb:
        case "select":
            columns = {"api_keys": API_KEY_COLUMNS, "agent_secrets": SECRET_COLUMNS}.get(table, "*")
            return f"select {columns} from public.{table}{_where(table, verb)}"  # noqa: S608 - names from the lists above
        case "insert":
            return _INSERT[table]
        case "update":
            return _UPDATE[table] + _where(table, verb)
    return f"delete from public.{table}{_where(table, verb)}"  # noqa: S608 - names from the lists above
