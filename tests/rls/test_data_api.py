"""What Supabase's Data API shows of us: a user's own rows, and four functions for the secret key alone."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from agents_store.postgres.connection import claims_of
from tests.rls.conftest import ALICE, BOB, Reach, Sessions

REFUSED = "42501"
VIEWS = ("agent_details", "version_details")
FUNCTIONS = {
    "gbx_as_dry": "glovebox_dry",
    "gbx_as_server": "glovebox_ledger",
    "gbx_as_user": "glovebox_user",
    "gbx_erase_account": "glovebox_user",
}
# Each function as a call of nothing much.
CALLS = {
    "gbx_as_dry": "select public.gbx_as_dry(%(owner)s, 'list_memory', '{}')",
    "gbx_as_server": "select public.gbx_as_server('ping', '{}')",
    "gbx_as_user": "select public.gbx_as_user(%(owner)s, 'get_balance', '{}')",
    "gbx_erase_account": "select public.gbx_erase_account(%(owner)s)",
}
# What each role may carry out. The calls of a dry run only read.
SERVERS_CALLS = (
    "announce_end",
    "cancel_requests",
    "find_api_key",
    "find_secret",
    "forget_files",
    "live_servers",
    "ping",
    "purge",
    "purge_generations",
    "read_limits",
    "reap_generations",
    "reap_runs",
    "register_server",
    "reserve_file",
    "retire_server",
    "schema_versions",
    "touch_api_keys",
    "unneeded_files",
)
DRY_CALLS = ("get_memory", "list_memory", "search_memory")


@pytest.fixture(scope="module")
def ask(seeded: Sessions) -> Any:
    """Rows of a query on the catalogue."""

    def rows(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(seeded.database.superuser_url) as conn:
            return conn.execute(statement.encode()).fetchall()

    return rows


def called(sessions: Sessions, function: str, *arguments: object) -> Any:
    """What a function answers to the secret key, or the SQLSTATE that refuses it. Undone."""
    places = ", ".join(["%s"] * len(arguments))
    with psycopg.connect(sessions.database.superuser_url) as conn:
        try:
            conn.execute("set local role service_role")
            found = conn.execute(f"select public.{function}({places})".encode(), arguments).fetchone()
            assert found is not None
            return json.loads(found[0])
        except psycopg.Error as exc:
            return exc.sqlstate
        finally:
            conn.rollback()


def test_data_api_exposes_two_views_and_four_functions_beside_the_tables(ask: Any) -> None:
    views = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm') order by 1"
    )
    functions = "select proname, proowner::regrole::text from pg_proc where pronamespace = 'public'::regnamespace"

    assert ask(views) == [(view,) for view in VIEWS]
    assert dict(ask(functions)) == FUNCTIONS


def test_views_run_with_their_readers_rights(ask: Any) -> None:
    bound = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'"
        " and not coalesce(reloptions @> array['security_invoker=true'], false)"
    )

    assert ask(bound) == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("role", ["authenticated", "glovebox_user", "glovebox_dry"])
def test_view_shows_a_users_own_rows_and_no_others(seeded: Sessions, view: str, role: str) -> None:
    read = f"select * from public.{view} where user_id = %(owner)s"  # noqa: S608 - a name of ours

    assert seeded.reach(role, claims_of(ALICE), read, owner=ALICE).rows == 1
    assert seeded.reach(role, claims_of(BOB), read, owner=ALICE) == Reach(rows=0)
    assert seeded.reach(role, None, read, owner=ALICE) == Reach(rows=0)


@pytest.mark.parametrize("view", VIEWS)
def test_nobody_writes_through_a_view_and_anon_reads_none(seeded: Sessions, view: str) -> None:
    for attempt in (f"delete from public.{view}", f"update public.{view} set code = ''"):  # noqa: S608 - a name of ours
        # As a join it takes no writes from anybody.
        assert seeded.reach("authenticated", claims_of(ALICE), attempt).sqlstate in (REFUSED, "55000")
    assert seeded.reach("anon", claims_of(ALICE), f"select * from public.{view}").sqlstate == REFUSED  # noqa: S608


@pytest.mark.parametrize("function", FUNCTIONS)
def test_secret_key_alone_may_call(seeded: Sessions, function: str) -> None:
    for role in ("anon", "authenticated", "glovebox_user", "glovebox_dry", None):
        if role != FUNCTIONS[function]:  # its owner, whom nobody outside becomes
            assert seeded.reach(role, claims_of(ALICE), CALLS[function], owner=ALICE).sqlstate == REFUSED
    arguments: dict[str, tuple[object, ...]] = {
        "gbx_as_dry": (BOB, "list_memory", '{"after": "", "prefix": "", "rows_max": 1}'),
        "gbx_as_server": ("ping", "{}"),
        "gbx_as_user": (BOB, "get_balance", "{}"),
        "gbx_erase_account": (UUID(int=9),),
    }
    assert "value" in called(seeded, function, *arguments[function])


def test_functions_pin_their_search_path_and_are_nobodys_by_default(ask: Any) -> None:
    found = ask(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and (not prosecdef"
        " or not proconfig @> array['search_path=\"\"']"
        " or exists (select from aclexplode(proacl) a where a.grantee = 0))"
    )

    assert found == []


def test_each_role_may_carry_out_exactly_its_own_calls(ask: Any) -> None:
    granted = ask(
        "select substr(p.proname, 5), a.grantee::regrole::text from pg_proc p, aclexplode(p.proacl) a"
        " where p.pronamespace = 'glovebox'::regnamespace and p.proname like 'api\\_%'"
        " and a.privilege_type = 'EXECUTE' order by 1"
    )

    def calls_of(role: str) -> list[str]:
        return [name for (name, grantee) in granted if grantee == role]

    everything = ask("select substr(proname, 5) from pg_proc where proname like 'api\\_%' order by 1")

    assert tuple(calls_of("glovebox_ledger")) == SERVERS_CALLS
    assert tuple(calls_of("glovebox_dry")) == DRY_CALLS
    assert sorted([*calls_of("glovebox_user"), *SERVERS_CALLS]) == [name for (name,) in everything]
    for role in ("anon", "authenticated", "service_role", "glovebox_login"):
        assert calls_of(role) == []


@pytest.mark.parametrize("name", SERVERS_CALLS)
def test_call_for_a_user_reaches_nothing_that_acts_for_nobody(seeded: Sessions, name: str) -> None:
    assert called(seeded, "gbx_as_user", ALICE, name, "{}") == REFUSED


@pytest.mark.parametrize("name", ["put_memory", "delete_memory", "create_agent", "begin_run", "erase_account"])
def test_call_of_a_dry_run_writes_nothing(seeded: Sessions, name: str) -> None:
    assert called(seeded, "gbx_as_dry", ALICE, name, "{}") == REFUSED
    assert called(seeded, "gbx_as_dry", ALICE, "list_memory", '{"after": "", "prefix": "", "rows_max": 1}') == {
        "value": {"revision": 0, "keys": []}
    }


@pytest.mark.parametrize(
    "name", ["nothing", "", "create_agent(null); --", 'x"; drop table public.runs; --', "../claim"]
)
def test_call_of_another_name_is_none(seeded: Sessions, name: str) -> None:
    assert called(seeded, "gbx_as_user", ALICE, name, "{}") == "42883"


def test_call_acts_as_the_named_user_under_row_level_security(seeded: Sessions) -> None:
    ids = seeded.ids()
    edit = json.dumps({"id": str(ids["agent_id"]), "agent_name": "hello", "revision": 1, "description": "taken over"})

    assert called(seeded, "gbx_as_user", ALICE, "edit_agent", edit)["value"]["edited"] is True
    assert called(seeded, "gbx_as_user", BOB, "edit_agent", edit)["value"]["edited"] is False
    cancel = json.dumps({"run_id": str(ids["run_id"])})
    assert called(seeded, "gbx_as_user", ALICE, "request_cancel", cancel)["value"] == "completed"
    assert called(seeded, "gbx_as_user", BOB, "request_cancel", cancel)["value"] is None


def test_what_the_schema_refuses_is_an_answer_and_changes_nothing(seeded: Sessions) -> None:
    twice = json.dumps(
        {
            "id": str(UUID(int=1)),
            "agent_name": "hello",
            "description": "",
            "code": "",
            "tier": "auto",
            "resolved_tier": "monty",
            "limits": '{"wall_ms_max": 1}',
            "examples": "[]",
            "allowed_hosts": "[]",
            "reasons": "{}",
        }
    )

    refused = {"refused": {"sqlstate": "23505", "constraint": "agents_name_once"}}
    assert called(seeded, "gbx_as_user", ALICE, "create_agent", twice) == refused


def test_functions_that_become_the_user_do_it_where_they_are_not_that(ask: Any) -> None:
    unguarded = ask(
        "select proname from pg_proc where pronamespace = 'glovebox'::regnamespace"
        " and strpos(prosrc, 'set_config(''role''') > 0 and strpos(prosrc, 'if current_user <> ''glovebox_user''') = 0"
    )

    assert unguarded == []
