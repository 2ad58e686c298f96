"""What only PostgresStore does: whom it refuses to serve as, poolers, lost connections, begins without an answer."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from agents_store.errors import SchemaMismatchError, StoreMisconfiguredError, StoreUnavailableError
from agents_store.postgres.connection import parse_dsn
from agents_store.postgres.queries import parse_queries
from agents_store.postgres.store import PostgresStore
from agents_store.types import Balance
from tests.integration.store.conftest import Author
from tests.support.database import Cluster, Database
from tests.support.records import HOLD_MICROCREDITS, run_start, succeeded


async def refusal(url: str) -> str:
    store = PostgresStore(url, pool_max=1)
    with pytest.raises(StoreMisconfiguredError) as raised:
        await store.open()
    return str(raised.value)


async def test_superuser_is_refused_with_what_to_do(database: Database) -> None:
    message = await refusal(database.superuser_url)

    assert "is a superuser" in message
    assert "10_login.sql" in message


async def test_owner_is_refused(database: Database) -> None:
    assert "owns the database" in await refusal(database.owner_url)


@pytest.fixture
def made_role(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A login role of an operator's own making, and its password."""
    name, password = "home_made", secrets.token_urlsafe(16)
    cluster.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password)))
    for setting in ("statement_timeout", "lock_timeout"):
        cluster.execute(sql.SQL(f"alter role home_made set {setting} = '5s'"))
    yield name, password
    cluster.execute(sql.SQL("drop role home_made"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter role home_made bypassrls", "bypasses row-level security"),
        ("grant glovebox_user to home_made", "has the rights of the roles"),
        ("grant glovebox_ledger to home_made", "has the rights of the roles"),
        ("alter role home_made set statement_timeout = 0", "no statement_timeout"),
        ("grant glovebox_owner to home_made", "owns the database"),
        ("alter role home_made noinherit", "was not let into"),
    ],
)
async def test_role_that_may_too_much_or_too_little_is_refused(
    database: Database, made_role: tuple[str, str], change: str, words: str
) -> None:
    database.cluster.execute(sql.SQL(change))

    message = await refusal(database.cluster.url(*made_role, database.name))

    assert words in message
    assert made_role[1] not in message


async def test_schema_that_is_behind_is_refused(database: Database, superuser: psycopg.Connection) -> None:
    superuser.execute(
        "delete from supabase_migrations.schema_migrations where version ="
        " (select max(version) from supabase_migrations.schema_migrations)"
    )
    store = PostgresStore(database.login_url, pool_max=1)

    with pytest.raises(SchemaMismatchError, match="1 migrations behind: run `glovebox db migrate`"):
        await store.open()


async def test_schema_that_is_ahead_is_refused(database: Database, superuser: psycopg.Connection) -> None:
    superuser.execute("insert into supabase_migrations.schema_migrations (version) values ('29991231000000')")
    store = PostgresStore(database.login_url, pool_max=1)

    with pytest.raises(SchemaMismatchError, match="ahead of this release"):
        await store.open()


async def test_database_without_a_schema_is_refused(database: Database) -> None:
    url = database.cluster.url("glovebox_login", database.login_url.split(":")[2].split("@")[0], "postgres")

    with pytest.raises(SchemaMismatchError, match="glovebox db migrate"):
        await PostgresStore(url, pool_max=1).open()


async def test_unreachable_database_is_told_at_once_and_keeps_the_password(database: Database) -> None:
    url = database.cluster.url("glovebox_login", "wrong", database.name)

    async with asyncio.timeout(3):
        with pytest.raises(StoreUnavailableError) as raised:
            await PostgresStore(url, pool_max=1).open()
    assert "wrong" not in str(raised.value)


@pytest.mark.parametrize("url", ["", "postgresql://a b@/x", "mysql://u:secret@h/d", "postgresql://u:secret@h/d?nope=1"])
def test_what_is_no_connection_string_is_refused_without_repeating_it(url: str) -> None:
    if not url:
        assert parse_dsn(url).behind_pooler is False
        return
    with pytest.raises(StoreMisconfiguredError) as raised:
        PostgresStore(url, pool_max=1)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "pooled"),
    [
        ("postgresql://u:p@h:6543/d", True),
        ("postgresql://u:p@h:5432/d?pgbouncer=true", True),
        ("host=h port=6543 user=u", True),
        ("postgresql://u:p@h:5432/d?pgbouncer=false", False),
        ("postgresql://u:p@h/d", False),
    ],
)
def test_pooler_in_transaction_mode_is_recognised(url: str, pooled: bool) -> None:
    assert parse_dsn(url).behind_pooler is pooled


async def test_behind_a_pooler_nothing_is_prepared(
    database: Database, author: Author, superuser: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="agents_store"):
        pooled = PostgresStore(database.login_url + "&pgbouncer=true", pool_max=1)
    await pooled.open()
    for _ in range(6):
        begun = await pooled.begin(author.principal, run_start(author.detail))
        await pooled.finish(author.principal, begun, succeeded())
    async with pooled._pool.connection() as conn:
        prepared = await (await conn.execute("select count(*) from pg_prepared_statements")).fetchone()
    await pooled.close()

    assert prepared == (0,)
    assert [record.message for record in caplog.records if "pooler" in record.message] != []


async def test_sessions_that_the_server_ended_are_replaced_unseen(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    superuser.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and usename = 'glovebox_login'"
    )

    assert (await store.get_agent(author.principal, "hello")) == author.detail


async def test_statement_that_meets_a_lock_gives_up(
    database: Database, author: Author, superuser: psycopg.Connection, store: PostgresStore
) -> None:
    begun = await store.begin(author.principal, run_start(author.detail))
    with psycopg.connect(database.superuser_url) as blocker:
        blocker.execute("lock table public.credit_accounts in access exclusive mode")
        superuser.execute("alter role glovebox_login set lock_timeout = '100ms'")
        try:
            impatient = PostgresStore(database.login_url, pool_max=1)
            await impatient.open()
            with pytest.raises(StoreUnavailableError):
                await impatient.finish(author.principal, begun, succeeded())
            await impatient.close()
        finally:
            superuser.execute("alter role glovebox_login set lock_timeout = '5s'")

    assert (await store.finish(author.principal, begun, succeeded(wall_ms=12))).charge_microcredits == 1_012


async def test_begin_that_got_no_answer_is_ended_by_the_next_reaping(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    """Its server lives, so no lease would ever end it."""
    before = await store.get_balance(author.principal)
    start = run_start(author.detail)
    begin = asyncio.create_task(store.begin(author.principal, start))
    # Another process's commit is waited for; the task itself ends the loop where it fails.
    stored = "select 1 from public.runs where id = %s"
    while not begin.done() and not superuser.execute(stored, [start.run_id]).fetchone():  # noqa: ASYNC110
        await asyncio.sleep(0)
    begin.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begin

    assert (await store.get_balance(author.principal)).held_microcredits == HOLD_MICROCREDITS
    assert await store.reap() == 1
    assert await store.get_balance(author.principal) == Balance(before.available_microcredits, 0)


async def test_run_that_another_server_began_after_all_is_not_ended_by_who_gave_it_up(
    store: PostgresStore, database: Database, author: Author, superuser: psycopg.Connection
) -> None:
    """A key keeps its run's id, so that the repeat begins the same run, wherever it arrives."""
    start, other = run_start(author.detail), uuid4()
    with psycopg.connect(database.superuser_url) as blocking:
        blocking.execute("lock table public.runs in access exclusive mode")
        begin = asyncio.create_task(store.begin(author.principal, start))
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while not begin.done() and not superuser.execute(waiting).fetchone():  # noqa: ASYNC110
            await asyncio.sleep(0)
        begin.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begin
    elsewhere = PostgresStore(database.login_url, pool_max=1)
    await elsewhere.open()
    await elsewhere.register_server(other)
    begun = await elsewhere.begin(author.principal, replace(start, server_id=other))

    assert await store.reap() == 0
    assert (await elsewhere.finish(author.principal, begun, succeeded(wall_ms=12))).charge_microcredits == 1_012
    await elsewhere.close()


def test_queries_are_parsed_by_name_without_comments() -> None:
    parsed = parse_queries("-- about 100 % of it\n-- name: one\n-- why\nselect 1\n  , 2;\n-- name: two\nselect 3;\n")

    assert parsed == {"one": b"select 1 , 2", "two": b"select 3"}


@pytest.mark.parametrize("text", ["select 1;", "-- name: a\nselect 1;\n-- name: a\nselect 2;", "-- name: a\n"])
def test_query_file_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"statement|twice"):
        parse_queries(text)
