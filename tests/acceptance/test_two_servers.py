"""Two server processes on one database: each sees what the other does, and ends what the other left."""

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.acceptance.processes import GRANT_MICROCREDITS, REAPED_S_MAX, Caller, Process, server_process
from tests.acceptance.running import eventually
from tests.faults.afterwards import Possessions, assert_ended, below, tell_books, tell_nothing_left
from tests.faults.matrix import NewRow
from tests.support.database import Database

Json = dict[str, Any]

CALLS = 4
NAP = """
import time
def run(inputs):
    time.sleep(float(inputs["seconds"]))
    return {"slept": True}
"""


@pytest.fixture
def first(database: Database, tmp_path: Path) -> Iterator[Process]:
    with server_process(database, tmp_path) as process:
        yield process


@pytest.fixture
def second(database: Database, tmp_path: Path) -> Iterator[Process]:
    with server_process(database, tmp_path) as process:
        yield process


@pytest.fixture
def user() -> Caller:
    return Caller.new()


async def created(client: httpx.AsyncClient) -> None:
    answer = await client.post("/agents", json={"agent_name": "nap", "code": NAP})
    assert answer.status_code == 201, answer.text


def nap(client: httpx.AsyncClient, user: Caller, seconds: float) -> "asyncio.Task[httpx.Response]":
    return asyncio.create_task(client.get(user.path("nap"), params={"seconds": seconds}))


async def runs_seen(client: httpx.AsyncClient) -> list[Json]:
    runs: list[Json] = (await client.get("/runs")).json()["items"]
    return runs


async def executing(client: httpx.AsyncClient, count: int) -> list[Json]:
    """What `client` sees once `count` runs execute."""

    async def look() -> list[Json] | None:
        found = [run for run in await runs_seen(client) if run["state"] == "executing"]
        return found if len(found) == count else None

    return await eventually(look)


async def all_lost(client: httpx.AsyncClient) -> bool:
    return all(run["reason"] == "lost" for run in await runs_seen(client))


def leases(database: Database) -> set[UUID]:
    with psycopg.connect(database.superuser_url) as conn:
        return {server_id for (server_id,) in conn.execute("select server_id from public.server_leases")}


def run_rows(database: Database) -> list[Any]:
    with psycopg.connect(database.superuser_url) as conn:
        return conn.execute("select * from public.runs order by id").fetchall()


async def test_a_run_of_one_server_is_seen_on_the_other(first: Process, second: Process, user: Caller) -> None:
    async with user.at(first) as here, user.at(second) as there:
        await created(here)
        call = nap(here, user, 1)

        (live,) = await executing(there, 1)
        answer = await call
        seen = (await there.get(f"/runs/{live['id']}")).json()
        on_both = [(await client.get("/credits")).json() for client in (here, there)]

    assert answer.headers["glovebox-run-id"] == live["id"]
    assert (seen["state"], seen["result"]) == ("completed", {"slept": True})
    assert seen["charge_microcredits"] == int(answer.headers["glovebox-charge"])
    assert on_both[0] == on_both[1]


async def test_what_a_killed_server_left_is_ended_by_the_other(
    first: Process, second: Process, user: Caller, database: Database, new_row: NewRow
) -> None:
    row = new_row("Server", "one of two servers killed in the middle of runs", "the other ends them as lost, free")
    async with user.at(first) as here, user.at(second) as there:
        await created(here)
        before, family = Possessions.of(second), below(first.popen.pid)
        calls = [nap(here, user, 9) for _ in range(CALLS)]
        await executing(there, CALLS)
        first.signal(signal.SIGKILL)
        killed_at = time.monotonic()

        await eventually(lambda: all_lost(there))
        took_s = time.monotonic() - killed_at
        ended = await asyncio.gather(*calls, return_exceptions=True)
        balance = (await there.get("/credits")).json()
        metrics = (await there.get("/metrics")).text
        after = await nap(there, user, 0)

    # The reaper comes every 5 s after the lease is over; what it then does must not take long.
    assert took_s <= REAPED_S_MAX + 2
    assert all(isinstance(end, httpx.TransportError) for end in ended)
    assert balance == {"available_microcredits": GRANT_MICROCREDITS, "held_microcredits": 0}
    assert f"\nglovebox_reaped_runs_total {CALLS}.0\n" in metrics
    assert after.status_code == 200
    await tell_books(row, database)
    await assert_ended(family)
    await tell_nothing_left(row, second, before)
    row.callers = f"{CALLS} connections broken; then 200 by the other"
    row.back_after = f"{took_s:.1f} s until all were ended"


async def test_a_server_that_slept_through_its_lease_changes_nothing_and_goes_on(
    first: Process, second: Process, user: Caller, database: Database, new_row: NewRow
) -> None:
    row = new_row("Server", "one of two servers frozen past its lease", "its late results change no row")
    async with user.at(first) as here, user.at(second) as there:
        await created(here)
        possessed = Possessions.of(first)
        before = leases(database)
        calls = [nap(here, user, 1) for _ in range(CALLS)]
        await executing(there, CALLS)
        first.signal(signal.SIGSTOP)
        try:
            await eventually(lambda: all_lost(there))
            left = leases(database)
            reaped = run_rows(database)
        finally:
            first.signal(signal.SIGCONT)
            continued_at = time.monotonic()
        answers = await asyncio.gather(*calls)
        late = run_rows(database)

        async def two_leases() -> bool:
            return len(await asyncio.to_thread(leases, database)) == 2

        await eventually(two_leases)
        back = leases(database)
        again = await nap(here, user, 0)
        row.back_after = f"{time.monotonic() - continued_at:.1f} s, under another name"
        balances = [(await client.get("/credits")).json() for client in (here, there)]

    assert [answer.status_code for answer in answers] == [503] * CALLS
    assert {answer.json()["code"] for answer in answers} == {"lost"}
    assert late == reaped
    assert len(before) == 2
    assert left < before
    assert left < back
    assert before != back, "it goes on under another name"
    assert again.status_code == 200
    charged = int(again.headers["glovebox-charge"])
    assert balances == [{"available_microcredits": GRANT_MICROCREDITS - charged, "held_microcredits": 0}] * 2
    await tell_books(row, database)
    await tell_nothing_left(row, first, possessed)
    row.callers = f"503 lost x {CALLS}; then 200"
    row.notes.append("0 rows changed by the late results")
