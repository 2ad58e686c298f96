"""Wall clocks jump under load, of a server or of its database: what may change does, and nothing is lost."""

import asyncio
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import Caller, Process, server_process, token_of
from tests.acceptance.running import eventually
from tests.acceptance.test_two_servers import NAP
from tests.faults.afterwards import Possessions, tell_books, tell_callers, tell_nothing_left, tell_recovery
from tests.faults.conftest import Site
from tests.faults.load import all_runs, calling, create_agents
from tests.faults.matrix import NewRow
from tests.support.database import BARE, Database, Postmaster, bundled_binaries, running_postmaster
from tests.support.moved_clock import MovedClock, moved_clock

HOUR_S = 3600
DAY_S = 24 * HOUR_S
JUMPS = {"1 h ahead": HOUR_S, "1 day ahead": DAY_S, "1 h back": -HOUR_S}
TOKEN_S = 1800
LEASE_S = 15
SERVE_MOVED = ("-m", "tests.support.moved_server")


@pytest.fixture
def clock() -> Iterator[MovedClock]:
    with moved_clock() as made:
        yield made


@pytest.fixture
def moved_server(database: Database, clock: MovedClock, tmp_path: Path, temporary: Path) -> Iterator[Process]:
    variables = {"TMPDIR": str(temporary), **clock.environment}
    with server_process(database, tmp_path, *SERVE_MOVED, log=tmp_path / "log", **variables) as server:
        yield server


class Timeless(Caller):
    """A user whose token counts before, during and after all jumps."""

    def at(self, process: Process) -> httpx.AsyncClient:
        client, now_s = super().at(process), int(time.time())
        token = token_of(self.id, iat=now_s - 2 * DAY_S, exp=now_s + 2 * DAY_S)
        client.headers["Authorization"] = f"Bearer {token}"
        return client


async def status_of(server: Process, token: str) -> int:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
        return (await client.get("/credits", headers={"Authorization": f"Bearer {token}"})).status_code


async def test_servers_clock_jumps(
    moved_server: Process, database: Database, clock: MovedClock, temporary: Path, new_row: NewRow
) -> None:
    server, users = moved_server, [Timeless.new(), Timeless.new()]
    await create_agents(server, users)
    before = Possessions.of(server, temporary)
    for fault, ahead_s in JUMPS.items():
        row = new_row("Clock", f"server's clock {fault}", "calls go on; tokens count by the server's clock, at once")
        clock.set(0)
        now_s = int(time.time())
        token = token_of(users[0].id, iat=now_s, exp=now_s + TOKEN_S)
        assert await status_of(server, token) == 200, "known before the jump"

        async with calling(server, users) as answers:
            await eventually(answers.some)
            clock.set(ahead_s)
            await eventually(partial(answers.some, answers.statuses[200]))
            refused = await status_of(server, token)
            fresh = await status_of(server, token_of(users[0].id, iat=now_s + ahead_s, exp=now_s + ahead_s + TOKEN_S))
        clock.set(0)
        await tell_recovery(row, server, users[0])

        assert set(answers.statuses) == {200}
        assert fresh == 200
        # Known to be good a moment ago, an hour back it only looks as if it were from the future.
        assert refused == (401 if ahead_s > 0 else 200)
        tell_callers(row, answers)
        row.notes.append(f"a token of {TOKEN_S // 60} min: {refused}; one by the new clock: {fresh}")
        await tell_books(row, database)
        await tell_nothing_left(row, server, before, temporary)


@pytest.fixture(scope="module")
def database_clock() -> Iterator[MovedClock]:
    with moved_clock() as made:
        yield made


@pytest.fixture(scope="module")
def postmaster(database_clock: MovedClock) -> Iterator[Postmaster]:
    """A PostgreSQL whose clock the tests move."""
    with running_postmaster(bundled_binaries(), environment={**BARE, **database_clock.environment}) as running:
        yield running


@pytest.mark.parametrize(
    ("faults", "away_s"),
    [
        pytest.param(["1 h ahead", "1 h back"], 1, id="for a moment"),
        # The server must have renewed its lease by the new clock.
        pytest.param(list(JUMPS), LEASE_S + 5, id="for longer than a lease", marks=pytest.mark.long),
    ],
)
async def test_databases_clock_jumps(
    faults: list[str], away_s: float, site: Site, database_clock: MovedClock, new_row: NewRow
) -> None:
    users = [Caller.new(), Caller.new()]
    await create_agents(site.server, users)
    before = Possessions.of(site.server, site.temporary)
    for fault in faults:
        row = new_row("Clock", f"PostgreSQL's clock {fault}", "calls go on; a live run may be lost, free of charge")
        database_clock.set(0)

        async with calling(site.server, users) as answers:
            await eventually(answers.some)
            database_clock.set(JUMPS[fault])
            await asyncio.sleep(away_s)
            await eventually(partial(answers.some, answers.statuses[200]))
        await tell_recovery(row, site.server, users[0])

        answers.assert_only_refused_kindly()
        tell_callers(row, answers)
        await tell_books(row, site.database)
        await tell_nothing_left(row, site.server, before, site.temporary)


@pytest.mark.long
async def test_what_a_server_left_is_ended_though_the_databases_clock_was_set_back(
    site: Site, database_clock: MovedClock, tmp_path: Path, new_row: NewRow
) -> None:
    row = new_row(
        "Clock", "PostgreSQL's clock 1 h back, one of two servers killed", "the other ends its runs as lost, free"
    )
    user = Caller.new()
    await create_agents(site.server, [user])
    possessed = Possessions.of(site.server, site.temporary)
    database_clock.set(0)
    home = tmp_path / "other"
    home.mkdir()
    with server_process(site.database, home) as other:
        async with user.at(other) as client, user.at(site.server) as here:
            body = {"agent_name": "nap", "code": NAP, "limits": {"wall_ms_max": 60_000}}
            assert (await client.post("/agents", json=body)).status_code == 201
            call = asyncio.ensure_future(client.get(user.path("nap"), params={"seconds": 50}))

            async def live() -> list[dict[str, Any]]:
                return [run for run in await all_runs(here) if run["state"] == "executing"]

            await eventually(live)
            database_clock.set(-HOUR_S)
            other.signal(signal.SIGKILL)
            killed_at = time.monotonic()
            await asyncio.gather(call, return_exceptions=True)

            async def lost() -> bool:
                return any(run["reason"] == "lost" for run in await all_runs(here))

            await eventually(lost)
            took_s = time.monotonic() - killed_at
    await tell_recovery(row, site.server, user)
    await tell_books(row, site.database)
    await tell_nothing_left(row, site.server, possessed, site.temporary)
    row.callers = "its connection was broken; then 200 by the other"
    row.notes.append(f"ended as lost {took_s:.0f} s after the kill")
