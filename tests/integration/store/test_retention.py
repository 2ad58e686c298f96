"""Retention and erasure: what is past its time goes, what lives stays, and no erased user is granted credits again."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from agents_store.errors import RunsLiveError, UnknownAgentError, UnknownRunError
from agents_store.postgres import account
from agents_store.postgres.admin import audit_balances, grant_credits
from agents_store.postgres.store import PostgresStore
from agents_store.types import Balance, BegunRun, LogRecord, Principal, Purged
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.records import SERVER_ID, new_version, run_start, succeeded

RETENTION = timedelta(days=90)
USERS_TABLES = (
    "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'"
    " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1"
)


def tables_of_users(superuser: psycopg.Connection) -> list[str]:
    return [name for (name,) in superuser.execute(USERS_TABLES)]


def rows_of(superuser: psycopg.Connection, user_id: UUID) -> dict[str, int]:
    """How many rows each table has of the user; tables without any are left out."""
    counts = {}
    for table in tables_of_users(superuser):
        statement = f"select count(*) from public.{table} where user_id = %s"  # noqa: S608 - names of the catalogue
        (counts[table],) = superuser.execute(statement.encode(), [user_id]).fetchone() or (0,)
    return {table: count for table, count in counts.items() if count}


def age(superuser: psycopg.Connection, days: int) -> None:
    """Let all runs and deletions be that many days older, as a clock moved on would."""
    superuser.execute("set session_replication_role = replica")  # what was finished is never changed otherwise
    superuser.execute(
        "update public.run_logs l set run_id = "
        " (lpad(to_hex((('x' || left(replace(l.run_id::text, '-', ''), 12))::bit(48)::bigint - %(ms)s)), 12, '0')"
        "  || substr(replace(l.run_id::text, '-', ''), 13))::uuid",
        {"ms": days * 86_400_000},
    )
    superuser.execute(
        "update public.runs r set finished_at = finished_at - %(days)s * interval '1 day', id = "
        " (lpad(to_hex((('x' || left(replace(r.id::text, '-', ''), 12))::bit(48)::bigint - %(ms)s)), 12, '0')"
        "  || substr(replace(r.id::text, '-', ''), 13))::uuid",
        {"ms": days * 86_400_000, "days": days},
    )
    superuser.execute("update public.agents set deleted_at = deleted_at - %s * interval '1 day'", [days])
    superuser.execute("set session_replication_role = origin")


async def finished_run(store: PostgresStore, author: Author) -> BegunRun:
    begun = await store.begin(author.principal, run_start(author.detail))
    await store.finish(author.principal, begun, succeeded(logs=[LogRecord(1, 0, "a line", {})]))
    return begun


async def test_nothing_is_purged_before_its_time(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    await finished_run(store, author)
    await store.delete_agent(author.principal, "hello")
    age(superuser, 89)

    assert await store.purge(RETENTION) == Purged(0, 0)
    assert {"agents", "agent_versions", "version_tiers", "runs", "run_logs"} <= set(
        rows_of(superuser, author.principal.user_id)
    )


async def test_runs_and_deleted_agents_past_retention_go_and_the_ledger_stays(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, database: Database
) -> None:
    await finished_run(store, author)
    await store.delete_agent(author.principal, "hello")
    entries = await store.list_entries(author.principal, limit=10, cursor=None)
    age(superuser, 91)

    assert await store.purge(RETENTION) == Purged(runs=1, agents=1)
    left = rows_of(superuser, author.principal.user_id)
    assert left == {"credit_accounts": 1, "credit_entries": 3}
    assert await store.list_entries(author.principal, limit=10, cursor=None) == entries
    assert await audit_balances(database.owner_url) == []
    assert await store.purge(RETENTION) == Purged(0, 0)


async def test_nothing_that_lives_is_purged(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    live = await store.begin(author.principal, run_start(author.detail))
    kept = await store.create_agent(author.principal, "kept", "", new_version())
    await store.delete_agent(author.principal, "hello")
    age(superuser, 1000)

    assert await store.purge(RETENTION) == Purged(0, 0)
    assert rows_of(superuser, author.principal.user_id)["runs"] == 1
    assert await store.get_agent(author.principal, "kept") == kept
    assert live.hold_microcredits > 0


async def test_purge_goes_on_batch_by_batch(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await finished_run(store, author)
    age(superuser, 91)
    monkeypatch.setattr(account, "PURGE_BATCH_ROWS", 2)
    monkeypatch.setattr(account, "PURGE_BATCHES_MAX", 2)

    assert (await store.purge(RETENTION)).runs == 4
    assert (await store.purge(RETENTION)).runs == 1


async def test_purges_at_once_share_the_work(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    for _ in range(20):
        await finished_run(store, author)
    age(superuser, 91)

    purged = await asyncio.gather(*(store.purge(RETENTION) for _ in range(4)))

    assert sum(batch.runs for batch in purged) == 20
    assert "runs" not in rows_of(superuser, author.principal.user_id)


async def test_export_has_everything_and_says_when_it_is_whole(
    store: PostgresStore, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "EXPORT_BATCH_ROWS", 2)
    monkeypatch.setattr(account, "EXPORT_BATCH_BYTES_MAX", 10)
    stranger = Principal(uuid4())
    await store.create_agent(stranger, "foreign", "", new_version())
    await store.edit_agent(author.principal, author.detail.agent, description=None, version=new_version(code="two"))
    detail = await store.activate_version(author.principal, "hello", 1, revision=None)
    runs = [await finished_run(store, Author(author.principal, detail)) for _ in range(5)]
    await store.delete_agent(author.principal, "hello")

    lines = [json.loads(line) async for line in store.export_account(author.principal)]

    kinds = [line["type"] for line in lines]
    assert kinds == ["account", "agent", *["version"] * 2, *["run"] * 5, *["log"] * 5, *["entry"] * 11, "end"]
    counts = {kind: count for kind, count in lines[-1]["counts"].items() if count}
    assert counts == {"agent": 1, "version": 2, "run": 5, "log": 5, "entry": 11}
    assert [line["code"] for line in lines if line["type"] == "version"] == [author.detail.version.code, "two"]
    assert [line["id"] for line in lines if line["type"] == "run"] == [str(run.run_id) for run in runs]
    assert [line["result"] for line in lines if line["type"] == "run"] == [{"hello": "World"}] * 5
    balance = await store.get_balance(author.principal)
    assert lines[0]["available_microcredits"] == balance.available_microcredits
    assert sum(line["available_delta_microcredits"] for line in lines if line["type"] == "entry") == (
        balance.available_microcredits
    )


async def test_export_of_nobody_makes_no_account(store: PostgresStore, superuser: psycopg.Connection) -> None:
    nobody = Principal(uuid4())

    lines = [json.loads(line) async for line in store.export_account(nobody)]

    assert [line["type"] for line in lines] == ["account", "end"]
    assert rows_of(superuser, nobody.user_id) == {}


async def test_erasing_leaves_no_row_but_the_tombstone_and_nobody_else_notices(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, database: Database
) -> None:
    bob = Principal(uuid4())
    others = Author(bob, await store.create_agent(bob, "hello", "", new_version()))
    for whose in (author, others):
        await finished_run(store, whose)
    before = rows_of(superuser, bob.user_id)
    assert {
        "agents",
        "agent_versions",
        "version_tiers",
        "runs",
        "run_logs",
        "credit_accounts",
        "credit_entries",
    } <= set(rows_of(superuser, author.principal.user_id))

    await store.erase_account(author.principal)

    assert rows_of(superuser, author.principal.user_id) == {"erased_users": 1}
    assert rows_of(superuser, bob.user_id) == before
    assert await audit_balances(database.owner_url) == []
    with pytest.raises(UnknownAgentError):
        await store.get_agent(author.principal, "hello")


def test_every_table_of_users_can_be_erased_from(superuser: psycopg.Connection) -> None:
    """A table that is added later, too: glovebox_ledger needs the rights and policies to select and to delete."""
    lacking = superuser.execute(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'erased_users'"
        " and not (has_table_privilege('glovebox_ledger', c.oid, 'delete')"
        "  and has_column_privilege('glovebox_ledger', c.oid, a.attnum, 'select')"
        "  and array(select distinct verb from pg_policies p, unnest(case when p.cmd = 'ALL'"
        "   then array['SELECT', 'DELETE'] else array[p.cmd] end) verb where p.schemaname = 'public'"
        "   and p.tablename = c.relname and 'glovebox_ledger' = any (p.roles) and verb in ('SELECT', 'DELETE')"
        "   order by 1) = array['DELETE', 'SELECT'])"
    ).fetchall()

    assert lacking == []
    order = [name for (name,) in superuser.execute("select glovebox.owned_tables()::text")]
    assert sorted(order) == sorted(set(tables_of_users(superuser)) - {"erased_users"})
    assert order.index("version_tiers") < order.index("agent_versions") < order.index("agents")


async def test_erased_user_who_comes_back_gets_no_second_grant(
    store: PostgresStore, author: Author, database: Database
) -> None:
    assert (await store.get_balance(author.principal)).available_microcredits > 0

    for _ in range(2):
        await store.erase_account(author.principal)
        await store.register_server(SERVER_ID)
        assert await store.get_balance(author.principal) == Balance(0, 0)
    await grant_credits(database.owner_url, author.principal.user_id, 5, idempotency_key=None)
    assert await store.get_balance(author.principal) == Balance(5, 0)
    assert await audit_balances(database.owner_url) == []


async def test_who_erases_before_being_seen_gets_no_grant_either(store: PostgresStore) -> None:
    nobody = Principal(uuid4())
    await store.erase_account(nobody)

    assert await store.get_balance(nobody) == Balance(0, 0)


@pytest.mark.parametrize("test", [False, True])
async def test_account_with_a_live_run_is_not_erased(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, test: bool
) -> None:
    begun = await store.begin(author.principal, run_start(author.detail, test=test))
    before = rows_of(superuser, author.principal.user_id)

    with pytest.raises(RunsLiveError):
        await store.erase_account(author.principal)

    assert rows_of(superuser, author.principal.user_id) == before
    await store.finish(author.principal, begun, succeeded())
    await store.erase_account(author.principal)
    assert rows_of(superuser, author.principal.user_id) == {"erased_users": 1}


async def test_refused_erasure_leaves_the_first_grant_to_come(store: PostgresStore, author: Author) -> None:
    await store.begin(author.principal, run_start(author.detail, test=True))  # makes no account
    with pytest.raises(RunsLiveError):
        await store.erase_account(author.principal)

    assert (await store.get_balance(author.principal)).available_microcredits > 0


async def test_erasing_and_being_seen_first_at_once_grant_once_at_most(
    store: PostgresStore, superuser: psycopg.Connection, database: Database
) -> None:
    for _ in range(10):
        user = Principal(uuid4())
        await asyncio.gather(*(store.get_balance(user) for _ in range(3)), store.erase_account(user))
        await store.erase_account(user)

        assert await store.get_balance(user) == Balance(0, 0)
        assert rows_of(superuser, user.user_id) == {"credit_accounts": 1, "erased_users": 1}
    assert await audit_balances(database.owner_url) == []


async def test_erasing_while_runs_begin_leaves_no_hold_behind(
    store: PostgresStore, superuser: psycopg.Connection, database: Database
) -> None:
    """Whoever is first: the run, and nothing is erased; or the erasure, and no run begins."""
    for _ in range(10):
        user = Principal(uuid4())
        author = Author(user, await store.create_agent(user, "hello", "", new_version()))
        await store.get_balance(user)
        begins = [store.begin(user, run_start(author.detail)) for _ in range(4)]
        *ends, erased = await asyncio.gather(*begins, store.erase_account(user), return_exceptions=True)

        begun = [end for end in ends if isinstance(end, BegunRun)]
        refused = [end for end in ends if isinstance(end, UnknownAgentError)]
        assert len(begun) + len(refused) == 4
        assert isinstance(erased, RunsLiveError) if begun else erased is None
        for run in begun:
            await store.finish(user, run, succeeded())
        if begun:
            await store.erase_account(user)
        assert rows_of(superuser, user.user_id) == {"erased_users": 1}
    assert await audit_balances(database.owner_url) == []


async def test_dry_run_that_slipped_past_an_erasure_is_purged(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    begun = await store.begin(author.principal, run_start(author.detail, test=True))
    await store.finish(author.principal, begun, succeeded())
    kept = await store.create_agent(author.principal, "kept", "", new_version())
    again = await store.begin(author.principal, run_start(kept, test=True))
    await store.finish(author.principal, again, succeeded())
    superuser.execute("insert into public.erased_users (user_id) values (%s)", [author.principal.user_id])
    superuser.execute("delete from public.version_tiers where agent_id = %s", [author.detail.agent.id])
    superuser.execute("delete from public.agent_versions where agent_id = %s", [author.detail.agent.id])
    superuser.execute("delete from public.agents where id = %s", [author.detail.agent.id])

    await store.purge(RETENTION)

    with pytest.raises(UnknownRunError):
        await store.get_run(author.principal, begun.run_id)
    assert (await store.get_run(author.principal, again.run_id)).agent_name == "kept"


LEDGER_WAYS: list[tuple[str, dict[str, Any]]] = [
    ("delete from public.credit_entries", {}),
    ("delete from public.credit_accounts", {}),
    ("delete from public.credit_entries where kind = 'hold'", {}),
]


@pytest.mark.parametrize(("statement", "values"), LEDGER_WAYS)
async def test_ledger_loses_nothing_but_a_whole_account(
    store: PostgresStore, author: Author, owner: psycopg.Connection, statement: str, values: dict[str, Any]
) -> None:
    """Not even to the one role that may delete, nor with the tombstone of another user or transaction."""
    await finished_run(store, author)
    owner.execute("set role glovebox_ledger")
    for tombstone in (uuid4(), author.principal.user_id):
        owner.execute("insert into public.erased_users (user_id) values (%s)", [tombstone])
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement.encode(), values)


async def test_tombstone_of_another_user_opens_nobody_elses_ledger(
    store: PostgresStore, author: Author, owner: psycopg.Connection
) -> None:
    await finished_run(store, author)
    owner.execute("set role glovebox_ledger")

    def erase_in_the_name_of_another() -> None:
        with owner.transaction():
            owner.execute("insert into public.erased_users (user_id) values (%s)", [uuid4()])
            owner.execute("delete from public.credit_entries")

    with pytest.raises(psycopg.errors.RestrictViolation):
        erase_in_the_name_of_another()
