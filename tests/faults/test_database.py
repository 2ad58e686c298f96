"""PostgreSQL stops, restarts, crawls and runs out of connections under load: no defect is told, nothing is lost."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.acceptance.processes import GRANT_MICROCREDITS, Caller, server_process
from tests.faults.conftest import Site
from tests.faults.load import assert_nothing_left, assert_recovers, balance_of, calling, create_agents
from tests.support.database import Cluster, Database

Json = dict[str, Any]

SOCKET = ".s.PGSQL.5432"
USERS = 2
SLOW_S = 0.15


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


FAULTS: dict[str, Callable[[Site], Awaitable[None]]] = {
    "stopped": stopped,
    "crashed": crashed,
    "restarted again and again": restarted_again_and_again,
    "every connection cut": every_connection_cut,
    "out of connections": out_of_connections,
}


LONG = {"stopped", "out of connections"}


@pytest.mark.parametrize("fault", FAULTS)
async def test_calls_are_refused_kindly_and_the_server_recovers_by_itself(site: Site, fault: str) -> None:
    users = [Caller.new() for _ in range(USERS)]
    await create_agents(site.server, users)

    async with calling(site.server, users) as answers:
        await asyncio.sleep(0.5)
        before = answers.statuses[200]
        await FAULTS[fault](site)
        await assert_recovers(site.server, users[0])

    assert before > 0
    answers.assert_only_refused_kindly()
    assert fault not in LONG or answers.statuses[503] > 0 or answers.slowest_s > 2, "the fault was not felt"
    await assert_nothing_left(site.database)
    async with users[0].at(site.server) as client:
        charges = [run["charge_microcredits"] for run in await all_runs(client)]
    assert await balance_of(site.server, users[0]) == GRANT_MICROCREDITS - sum(charges)


async def test_slow_database_makes_calls_slow_and_nothing_else(site: Site, tmp_path: Path) -> None:
    user = Caller.new()
    async with crawling(site.database, tmp_path) as slow:
        with ExitStack() as running:
            # In a thread: the slow socket is served by this one.
            server = await asyncio.to_thread(running.enter_context, server_process(slow, tmp_path))
            await create_agents(server, [user])
            async with calling(server, [user]) as answers:
                await asyncio.sleep(3)
            await asyncio.to_thread(running.close)

    assert answers.statuses[200] > 0
    answers.assert_only_refused_kindly()
    await assert_nothing_left(site.database)


async def all_runs(client: httpx.AsyncClient) -> list[Json]:
    runs: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/runs", params={"limit": 100, **cursor})).json()
        runs += page["items"]
        if page["next_cursor"] is None:
            return runs
        cursor = {"cursor": page["next_cursor"]}


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
