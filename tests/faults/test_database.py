"""PostgreSQL stops, restarts, crawls and runs out of connections under load: no defect is told, nothing is lost."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.processes import Caller, server_process
from tests.acceptance.running import eventually
from tests.faults.afterwards import Possessions, tell_books, tell_callers, tell_nothing_left, tell_recovery
from tests.faults.conftest import GRANT, Site
from tests.faults.load import all_runs, balance_of, calling, create_agents
from tests.faults.matrix import NewRow
from tests.support.database import Cluster, Database

Json = dict[str, Any]

SOCKET = ".s.PGSQL.5432"
USERS = 2
SLOW_S = 0.15
RESTARTED_FOR_S = 180


async def stopped(site: Site) -> None:
    """Away for longer than a call may wait."""
    site.postmaster.stop(signal.SIGINT)
    await asyncio.sleep(4)
    site.postmaster.start()


async def crashed(site: Site) -> None:
    """Ended without a checkpoint, back after a recovery."""
    site.postmaster.stop(signal.SIGQUIT)
    site.postmaster.start()


async def restarted_again_and_again(site: Site) -> None:
    for _ in range(5):
        site.postmaster.stop(signal.SIGINT)
        site.postmaster.start()
        await asyncio.sleep(1)


async def every_connection_cut(site: Site) -> None:
    for _ in range(10):
        with psycopg.connect(site.database.superuser_url, autocommit=True) as conn:
            conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'glovebox_login'")
        await asyncio.sleep(0.2)


async def out_of_connections(site: Site) -> None:
    """Those that the server has are cut, and it gets no other for a while (SQLSTATE 53300)."""
    with psycopg.connect(site.database.superuser_url, autocommit=True) as conn:
        conn.execute("alter role glovebox_login connection limit 0")
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'glovebox_login'")
        await asyncio.sleep(3)
        conn.execute("alter role glovebox_login connection limit -1")


async def restarted_at_odd_moments(site: Site) -> None:
    """What a long form does for a minute and more: away for up to 2 s, back for 5 to 40 s."""
    chance = random.Random(10)  # noqa: S311 - the same moments each time
    until = time.monotonic() + RESTARTED_FOR_S
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(5, 40))
        site.postmaster.stop(signal.SIGINT)
        await asyncio.sleep(chance.uniform(0, 2))
        site.postmaster.start()


FAULTS: dict[str, Callable[[Site], Awaitable[None]]] = {
    "stopped": stopped,
    "crashed": crashed,
    "restarted again and again": restarted_again_and_again,
    "every connection cut": every_connection_cut,
    "out of connections": out_of_connections,
    "restarted every 5-40 s, 3 min": restarted_at_odd_moments,
}
LONG_FORMS = {"restarted every 5-40 s, 3 min"}


LONG = {"stopped", "out of connections"}


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[pytest.mark.long] * (fault in LONG_FORMS)) for fault in FAULTS]
)
async def test_calls_are_refused_kindly_and_the_server_recovers_by_itself(
    site: Site, fault: str, new_row: NewRow
) -> None:
    row = new_row("Database", f"PostgreSQL {fault}", "200 or 503, nothing lost, nothing charged twice")
    users = [Caller.new() for _ in range(USERS)]
    await create_agents(site.server, users)
    before = Possessions.of(site.server, site.temporary)

    async with calling(site.server, users) as answers:
        await eventually(answers.some)
        await FAULTS[fault](site)
        await tell_recovery(row, site.server, users[0])

    answers.assert_only_refused_kindly()
    tell_callers(row, answers)
    assert fault not in LONG or answers.statuses[503] > 0 or answers.slowest_s > 2, "the fault was not felt"
    await tell_books(row, site.database)
    await tell_nothing_left(row, site.server, before, site.temporary)
    async with users[0].at(site.server) as client:
        charges = [run["charge_microcredits"] for run in await all_runs(client)]
    assert await balance_of(site.server, users[0]) == GRANT - sum(charges)


async def test_slow_database_makes_calls_slow_and_nothing_else(site: Site, tmp_path: Path, new_row: NewRow) -> None:
    row = new_row("Database", f"each answer of PostgreSQL {SLOW_S * 1000:.0f} ms late", "slow, and nothing else")
    user = Caller.new()
    async with crawling(site.database, tmp_path) as slow:
        with ExitStack() as running:
            # In a thread: the slow socket is served by this one.
            server = await asyncio.to_thread(running.enter_context, server_process(slow, tmp_path))
            await create_agents(server, [user])
            before = Possessions.of(server, site.temporary)
            async with calling(server, [user]) as answers:
                await asyncio.sleep(3)
            await tell_recovery(row, server, user)
            await tell_nothing_left(row, server, before, site.temporary)
            await asyncio.to_thread(running.close)

    assert answers.statuses[200] > 0
    answers.assert_only_refused_kindly()
    tell_callers(row, answers)
    await tell_books(row, site.database)


@asynccontextmanager
async def crawling(database: Database, home: Path) -> AsyncIterator[Database]:
    """The same database behind a socket that holds back each piece of what the database says for `SLOW_S`."""
    behind = database.cluster.socket_dir / SOCKET

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, pause_s: float) -> None:
        while piece := await source.read(65_536):
            await asyncio.sleep(pause_s)
            target.write(piece)
            await target.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader_behind, writer_behind = await asyncio.open_unix_connection(behind)
        pumps = [
            asyncio.create_task(pass_on(reader, writer_behind, 0)),
            asyncio.create_task(pass_on(reader_behind, writer, SLOW_S)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        writer.close()
        writer_behind.close()

    proxy = await asyncio.start_unix_server(serve, home / SOCKET)
    try:
        yield Database(Cluster(home, database.cluster.superuser_password), database.name)
    finally:
        proxy.close()
