"""Facts of the catalogue that everything else stands on: roles, ownership, row-level security, functions, indexes."""

from typing import Any

import psycopg
import pytest

from tests.rls.conftest import Sessions
from tests.rls.statements import TABLES


@pytest.fixture(scope="module")
def ask(seeded: Sessions) -> Any:
    """Rows of a query on the catalogue."""

    def rows(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(seeded.database.superuser_url) as conn:
            return conn.execute(statement.encode()).fetchall()

    return rows


def test_every_table_enables_and_forces_row_level_security(ask: Any) -> None:
    tables = "from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"

    assert ask(f"select relname {tables} and not (relrowsecurity and relforcerowsecurity)") == []
    assert {name for (name,) in ask(f"select relname {tables}")} == set(TABLES)


def test_nobody_may_use_a_sequence(ask: Any) -> None:
    assert (
        ask(
            "select c.relname, r.rolname from pg_class c, pg_roles r where c.relnamespace = 'public'::regnamespace"
            " and c.relkind = 'S' and r.rolname in ('anon', 'authenticated', 'service_role', 'glovebox_login',"
            " 'glovebox_user') and has_sequence_privilege(r.oid, c.oid, 'usage, select, update')"
        )
        == []
    )


def test_roles_are_what_the_design_says(ask: Any) -> None:
    found = ask(
        "select rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        " from pg_roles where rolname like 'glovebox%' order by rolname"
    )

    assert found == [
        ("glovebox_dry", False, True, False, False, False, False, False),
        ("glovebox_ledger", False, True, False, False, False, False, False),
        ("glovebox_login", True, False, False, False, False, False, False),
        ("glovebox_owner", True, True, False, False, True, False, False),
        ("glovebox_user", False, True, False, False, False, False, False),
    ]


def test_login_may_become_two_roles_and_has_the_rights_of_none(ask: Any) -> None:
    roles = "from pg_roles where not rolsuper and rolname <> 'glovebox_login'"

    assert ask(f"select rolname {roles} and pg_has_role('glovebox_login', oid, 'usage')") == []
    assert ask(f"select rolname {roles} and pg_has_role('glovebox_login', oid, 'member') order by 1") == [
        ("glovebox_dry",),
        ("glovebox_user",),
    ]


def test_login_owns_nothing_and_has_no_right_on_any_table(ask: Any) -> None:
    assert ask("select objid from pg_shdepend where refobjid = 'glovebox_login'::regrole and deptype = 'o'") == []
    assert (
        ask(
            "select c.relname from pg_class c where c.relnamespace in ('public'::regnamespace,"
            " 'supabase_migrations'::regnamespace) and c.relkind = 'r' and ("
            "has_table_privilege('glovebox_login', c.oid,"
            " 'select, insert, update, delete, truncate, references, trigger')"
            " or has_any_column_privilege('glovebox_login', c.oid, 'select, insert, update, references'))"
        )
        == []
    )


def test_tables_belong_to_the_plain_owner(ask: Any) -> None:
    owners = "select distinct relowner::regrole::text from pg_class where relnamespace = 'public'::regnamespace"

    assert ask(owners) == [("glovebox_owner",)]


def test_nobody_outside_may_execute_any_of_our_functions(ask: Any) -> None:
    found = ask(
        "select p.oid::regprocedure::text, r.rolname from pg_proc p, pg_roles r"
        " where p.pronamespace = 'glovebox'::regnamespace and has_function_privilege(r.oid, p.oid, 'execute')"
        " and r.rolname in ('anon', 'authenticated', 'service_role', 'glovebox_dry', 'gateway')"
        " and p.proname <> 'caller_id' and not (r.rolname = 'glovebox_dry' and p.proname = any (array['search_memory',"
        " 'claim', 'carry_out', 'memory_json', 'api_get_memory', 'api_list_memory', 'api_search_memory']))"
    )
    to_public = ask(
        "select proname from pg_proc where pronamespace = 'glovebox'::regnamespace"
        " and (proacl is null or exists (select from aclexplode(proacl) a where a.grantee = 0))"
    )

    assert found == []
    assert to_public == []


def test_server_may_execute_exactly_these(ask: Any) -> None:
    def executable(role: str) -> list[str]:
        found = ask(
            f"select proname from pg_proc where has_function_privilege('{role}', oid, 'execute')"  # noqa: S608 - ours
            " and pronamespace = 'glovebox'::regnamespace and proname not like 'api\\_%' order by 1"
        )
        return [name for (name,) in found]

    assert executable("glovebox_login") == [
        "append_logs",
        "begin_apply",
        "begin_generation",
        "begin_run",
        "cancel_requests",
        "claim_key",
        "find_api_key",
        "find_secret",
        "find_unneeded_files",
        "finish_generation",
        "finish_run",
        "forget_files",
        "free_key",
        "keep_answer",
        "live_servers",
        "purge",
        "purge_generations",
        "purge_keys",
        "read_limits",
        "reap_generations",
        "reap_runs",
        "register_server",
        "request_cancel",
        "reserve_file",
        "retire_server",
        "schema_versions",
        "take_dry_run",
        "touch_api_keys",
    ]
    assert executable("glovebox_user") == [
        "append_logs",
        "begin_apply",
        "begin_generation",
        "begin_run",
        "caller_id",
        "carry_out",
        "claim",
        "claim_key",
        "close_own_generation",
        "close_own_hold",
        "ensure_account",
        "erase_account",
        "finish_generation",
        "finish_run",
        "forget_memory",
        "free_key",
        "generation_price",
        "hold_credits",
        "hold_generation",
        "keep_answer",
        "memory_json",
        "price_max",
        "remove_secret",
        "request_cancel",
        "run_price",
        "search_memory",
        "server_lives",
        "take_own_dry_run",
    ]
    assert executable("glovebox_dry") == ["caller_id", "carry_out", "claim", "memory_json", "search_memory"]


def test_every_function_pins_its_search_path(ask: Any) -> None:
    unpinned = ask(
        "select proname from pg_proc where pronamespace = 'glovebox'::regnamespace"
        " and not coalesce(proconfig @> array['search_path=\"\"'], false)"
    )

    assert unpinned == []


def test_functions_with_more_rights_than_their_caller_belong_to_the_ledger(ask: Any) -> None:
    found = ask(
        "select distinct proowner::regrole::text from pg_proc"
        " where prosecdef and pronamespace = 'glovebox'::regnamespace"
    )

    assert found == [("glovebox_ledger",)]


def test_ledger_role_can_make_nothing(ask: Any) -> None:
    assert ask(
        "select has_schema_privilege('glovebox_ledger', 'glovebox', 'create'),"
        " has_schema_privilege('glovebox_ledger', 'public', 'create')"
    ) == [(False, False)]


def test_policies_ask_for_the_caller_in_one_way(ask: Any) -> None:
    """Each is the caller's own rows, known prices, or a privileged role's: nothing else may decide."""
    found = ask(
        "select distinct coalesce(qual, with_check) from pg_policies where schemaname = 'public'"
        " and not (roles <@ array['glovebox_ledger', 'glovebox_owner']::name[])"
    )

    assert sorted(condition for (condition,) in found) == [
        "(( SELECT auth.uid() AS uid) IS NOT NULL)",
        "(user_id = ( SELECT auth.uid() AS uid))",
    ]


def test_policies_name_their_roles_and_overlap_for_none(ask: Any) -> None:
    overlapping = ask(
        "select tablename, role, verb, count(*) from pg_policies p, unnest(p.roles) role,"
        " unnest(case when p.cmd = 'ALL' then array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] else array[p.cmd] end) verb"
        " where schemaname = 'public' group by 1, 2, 3 having count(*) > 1"
    )

    assert overlapping == []
    assert ask("select policyname from pg_policies where 'public' = any (roles) or permissive <> 'PERMISSIVE'") == []


def test_every_policys_column_leads_an_index(ask: Any) -> None:
    unindexed = ask(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not exists ("
        " select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indpred is null)"
    )

    assert unindexed == []


def test_every_foreign_key_leads_an_index(ask: Any) -> None:
    unindexed = ask(
        "select conname from pg_constraint k where k.contype = 'f' and k.connamespace = 'public'::regnamespace"
        " and not exists (select from pg_index i where i.indrelid = k.conrelid"
        " and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)] = k.conkey)"
    )

    assert unindexed == []


def test_no_two_indexes_are_the_same(ask: Any) -> None:
    twice = ask(
        "select indrelid::regclass from pg_index where indrelid::regclass::text in (select relname from pg_class where"
        " relnamespace = 'public'::regnamespace) group by indrelid, indkey::text, pg_get_expr(indpred, indrelid)"
        " having count(*) > 1"
    )

    assert twice == []


def test_constraints_bear_names_of_ours(ask: Any) -> None:
    """Errors are mapped by them: a name that PostgreSQL made up would be a guess."""
    names = ask(
        "select conname from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'"
        " and conname ~ '_(key|check|fkey|excl)[0-9]*$'"
    )

    assert names == []
