"""One pool, two users: whatever ends a transaction, nothing of a user stays on the connection."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from agents_store.postgres.connection import Connection, Role, acting_as, build_pool, claims_of, parse_dsn
from agents_store.postgres.store import PostgresStore
from agents_store.types import Principal
from tests.rls.conftest import ALICE, BOB, Sessions
from tests.support.figures import Record
from tests.support.records import failed, run_start

Acting = Callable[[Connection, Role, str], AbstractAsyncContextManager[None]]

REQUESTS = 800
REQUESTS_LONG = 10_000
LEFT_BEHIND = "select current_user::text, coalesce(current_setting('request.jwt.claims', true), '')"


@asynccontextmanager
async def acting_for_the_session(conn: Connection, role: Role, claims: str) -> AsyncIterator[None]:
    """The mistake: settings of the session where those of the transaction are meant."""
    await conn.execute(
        "select set_config('role', %s, false), set_config('request.jwt.claims', %s, false)", [role.value, claims]
    )
    yield


async def _leaks(sessions: Sessions, acting: Acting, pool_max: int, requests: int = REQUESTS) -> int:
    """How often, of many requests of two users, a connection came with a user on it or showed a foreign row."""
    chance = random.Random(7)  # noqa: S311 - repeatable
    leaks = 0

    async def request() -> None:
        nonlocal leaks
        user = chance.choice([ALICE, BOB])
        statement = chance.choice(["select user_id from public.runs"] * 4 + ["select 1/0", "select pg_sleep(5)"])
        async with pool.connection() as conn:
            leaks += await (await conn.execute(LEFT_BEHIND)).fetchone() != ("glovebox_login", "")
            async with asyncio.timeout(0.01 if "sleep" in statement else 20):
                async with acting(conn, Role.USER, claims_of(user)):
                    found = await conn.execute(statement)
                leaks += any(row != (user,) for row in await found.fetchall())

    async with build_pool(parse_dsn(sessions.database.login_url), pool_max) as pool:
        for turn in range(0, requests, 8):
            tasks = [asyncio.create_task(request()) for _ in range(8)]
            for _ in range(turn % 40):
                await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[1].cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            # A connection whose cancelled query did not end is replaced; meanwhile a small pool may be out of them.
            fine = (asyncio.CancelledError, TimeoutError, psycopg.DataError, PoolTimeout, type(None))
            assert [end for end in ends if not isinstance(end, fine)] == []
    return leaks


async def test_connection_of_a_cancelled_task_is_never_given_out_again(seeded: Sessions) -> None:
    """The driver can leave a cancelled pipeline half open, so that the next user would act as the one before."""
    async with build_pool(parse_dsn(seeded.database.login_url), 1) as pool:
        with suppress(asyncio.CancelledError):
            async with pool.connection() as cancelled, acting_as(cancelled, Role.USER, claims_of(ALICE)):
                raise asyncio.CancelledError

        async with pool.connection() as conn:
            assert conn is not cancelled
            assert await (await conn.execute(LEFT_BEHIND)).fetchone() == ("glovebox_login", "")


async def test_connection_left_in_a_pipeline_is_never_given_out_again(seeded: Sessions) -> None:
    async with build_pool(parse_dsn(seeded.database.login_url), 1) as pool:
        async with pool.connection() as left:
            left.pgconn.enter_pipeline_mode()

        async with pool.connection() as conn:
            assert conn is not left


def _stuck(sessions: Sessions) -> int:
    """Sessions of the server that are inside a transaction."""
    with psycopg.connect(sessions.database.superuser_url) as conn:
        found = conn.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and usename = 'glovebox_login'"
            " and state like 'idle in transaction%%'",
        ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("requests", [REQUESTS, pytest.param(REQUESTS_LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("pool_max", [1, 4])
async def test_nothing_of_a_user_stays_on_a_connection(
    seeded: Sessions, pool_max: int, requests: int, record_property: Record
) -> None:
    record_property("requests", requests)
    assert await _leaks(seeded, acting_as, pool_max, requests) == 0
    assert _stuck(seeded) == 0


async def test_leak_would_be_noticed(seeded: Sessions, record_property: Record) -> None:
    """The control: the same requests with settings of the session."""
    leaks = await _leaks(seeded, acting_for_the_session, 1)

    record_property("leaks_seen", leaks)
    assert leaks > 0


@pytest.mark.parametrize("pool_max", [1, 4])
async def test_cancelled_calls_leave_no_transaction_and_mix_no_users(weakened: Sessions, pool_max: int) -> None:
    chance = random.Random(11)  # noqa: S311 - repeatable
    store = PostgresStore(weakened.database.login_url, pool_max=pool_max)
    await store.open()
    agents = {user: await store.get_agent(Principal(user), "hello") for user in (ALICE, BOB)}
    own = {}
    for user in (ALICE, BOB):
        page = await store.list_runs(Principal(user), agent_name=None, limit=1000, cursor=None)
        own[user] = {run.id for run in page.items}

    async def request() -> None:
        user = chance.choice([ALICE, BOB])
        start = run_start(agents[user], test=chance.random() < 0.5)
        own[user].add(start.run_id)
        begun = await store.begin(Principal(user), start)
        page = await store.list_runs(Principal(user), agent_name=None, limit=1000, cursor=None)
        assert {run.id for run in page.items} <= own[user]
        await store.finish(Principal(user), begun, failed())

    for _ in range(60):
        tasks = [asyncio.create_task(request()) for _ in range(6)]
        await asyncio.sleep(chance.random() * 0.01)
        for task in tasks[::2]:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [end for end in ends if not isinstance(end, (asyncio.CancelledError, type(None)))] == []
    assert _stuck(weakened) == 0
    await store.ping()
    await store.close()
