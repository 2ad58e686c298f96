"""Servers killed at every named point of a run's life: nothing lost, nothing doubled, every run in one final state."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from agents_store.postgres.admin import audit_balances
from tests.acceptance.processes import GRANT_MICROCREDITS, Caller, Process, server_process
from tests.acceptance.running import eventually
from tests.acceptance.shell import COMMAND_S_MAX
from tests.support.database import Cluster, Database, database_from
from tests.support.dying_server import CODE, HELD_UP, Point
from tests.support.figures import Record

HELD_S_MAX = 30
AT_ONCE = 4  # servers that start at the same time, on a small machine
ROUNDS_LONG, TURNS_LONG = 5, 4  # 20 in all

NOTHING_BEGAN = frozenset({Point.BEFORE_BEGIN})
STORED = frozenset({Point.INSIDE_FINISH, Point.AFTER_FINISH, Point.BEFORE_THE_ANSWER, Point.AFTER_THE_ANSWER})
LOST = frozenset(Point) - NOTHING_BEGAN - STORED


@dataclass(frozen=True)
class Aftermath:
    """What the database has of one killed run, and what the caller saw of it."""

    status: int | None
    settled_s: float
    runs: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    account: dict[str, Any]


class Morgue:
    """Kills servers on one database, beside one that lives."""

    def __init__(self, database: Database, home: Path, living: Process) -> None:
        self._database = database
        self._home = home
        self._living = living
        self._starts = asyncio.Semaphore(AT_ONCE)

    async def kill_at(self, point: Point) -> Aftermath:
        """Kill a server of its own at `point` of a run by a user of its own; wait until the living one cleaned up."""
        user = Caller.new()
        async with AsyncExitStack() as stack:
            here = await stack.enter_async_context(user.at(self._living))
            created = await here.post("/agents", json={"agent_name": "doomed", "code": CODE, "tier": "restricted"})
            assert created.status_code == 201, created.text
            assert (await here.get("/credits")).status_code == 200
            async with self._starts:
                dying = await stack.enter_async_context(self._dying(point))
            there = await stack.enter_async_context(user.at(dying))
            if point in HELD_UP:
                call = await self._kill_in_statement(user, there, dying, point)
            else:
                call = _calling(there, user)
            await asyncio.to_thread(dying.popen.wait, COMMAND_S_MAX)
            killed_at = time.monotonic()
            status = await call
            await eventually(lambda: self._is_settled(user))
            settled_s = time.monotonic() - killed_at
        assert dying.popen.returncode == -signal.SIGKILL
        return Aftermath(status, settled_s, *await self._records(user))

    async def audit(self) -> None:
        """Over the whole database: grants are what is left, held and charged, to the last microcredit."""
        assert await audit_balances(self._database.owner_url) == []
        (sums,) = await self._ask(
            "select sum(available_microcredits + held_microcredits) as there,"
            " (select sum(amount_microcredits) from public.credit_entries where kind = 'grant') as granted,"
            " (select coalesce(sum(charge_microcredits), 0) from public.runs) as charged from public.credit_accounts"
        )
        assert sums["there"] == sums["granted"] - sums["charged"]
        unfinished = await self._ask("select id from public.runs where state not in ('completed', 'failed')")
        assert unfinished == []

    @asynccontextmanager
    async def _dying(self, point: Point) -> AsyncIterator[Process]:
        starting = server_process(self._database, self._home, "-m", "tests.support.dying_server", point.value)
        process = await asyncio.to_thread(starting.__enter__)
        try:
            yield process
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)

    async def _kill_in_statement(
        self, user: Caller, there: httpx.AsyncClient, dying: Process, point: Point
    ) -> "asyncio.Task[int | None]":
        """Hold the user's balance, see the server's statement wait for it, kill the server, let the statement go on."""
        call = None
        if point is Point.INSIDE_FINISH:
            call = _calling(there, user)
            await eventually(lambda: self._ask("select from public.runs where user_id = %s", user.id))
        async with await psycopg.AsyncConnection.connect(self._database.superuser_url) as conn:
            held = await conn.execute(
                "select pg_backend_pid() from public.credit_accounts where user_id = %s for update", [user.id]
            )
            row = await held.fetchone()
            assert row is not None
            call = call or _calling(there, user)
            await eventually(
                lambda: self._ask("select from pg_stat_activity where %s = any (pg_blocking_pids(pid))", row[0])
            )
            dying.signal(signal.SIGKILL)
            await asyncio.to_thread(dying.popen.wait, COMMAND_S_MAX)
        return call

    async def _is_settled(self, user: Caller) -> bool:
        open_runs = await self._ask("select from public.runs where user_id = %s and outcome is null", user.id)
        held = await self._ask(
            "select from public.credit_accounts where user_id = %s and held_microcredits > 0", user.id
        )
        waiting = await self._ask("select from pg_stat_activity where wait_event_type = 'Lock'")
        return not (open_runs or held or waiting)

    async def _records(self, user: Caller) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
        runs = await self._ask("select state, outcome, reason, charge_microcredits, revision from public.runs"
                               " where user_id = %s", user.id)  # fmt: skip
        entries = await self._ask("select kind, amount_microcredits from public.credit_entries"
                                  " where user_id = %s order by id", user.id)  # fmt: skip
        (account,) = await self._ask("select available_microcredits, held_microcredits from public.credit_accounts"
                                     " where user_id = %s", user.id)  # fmt: skip
        return runs, entries, account

    async def _ask(self, statement: str, *params: object) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self._database.superuser_url, row_factory=dict_row) as conn:
            return await (await conn.execute(statement.encode(), params)).fetchall()


def _calling(client: httpx.AsyncClient, user: Caller) -> "asyncio.Task[int | None]":
    return asyncio.create_task(_status(client, user.path("doomed")))


async def _status(client: httpx.AsyncClient, path: str) -> int | None:
    try:
        return (await client.get(path)).status_code
    except httpx.TransportError:  # the server died under this call
        return None


async def kill_everywhere(cluster: Cluster, template: str, home: Path, rounds: int) -> Mapping[Point, list[Aftermath]]:
    with database_from(cluster, template) as database, server_process(database, home) as living:
        morgue = Morgue(database, home, living)
        found: dict[Point, list[Aftermath]] = {point: [] for point in Point}
        for _ in range(rounds):
            for point, aftermath in zip(Point, await asyncio.gather(*map(morgue.kill_at, Point)), strict=True):
                found[point].append(aftermath)
        await morgue.audit()
        return found


def assert_nothing_lost_or_doubled(point: Point, after: Aftermath) -> None:
    kinds = [entry["kind"] for entry in after.entries]
    charged = sum(run["charge_microcredits"] for run in after.runs)

    assert after.settled_s <= HELD_S_MAX
    assert after.account == {"available_microcredits": GRANT_MICROCREDITS - charged, "held_microcredits": 0}
    if point in NOTHING_BEGAN:
        assert (after.runs, kinds) == ([], ["grant"])
        return
    (run,) = after.runs
    assert run["revision"] == 2, "ended once"
    if point in LOST:
        assert (run["state"], run["outcome"], run["reason"], charged) == ("failed", "failed", "lost", 0)
        assert kinds == ["grant", "hold", "release"]
    else:
        assert (run["state"], run["outcome"], run["reason"]) == ("completed", "succeeded", None)
        assert charged > 0
        assert kinds == ["grant", "hold", "settle"]
    assert after.status == (200 if point is Point.AFTER_THE_ANSWER else None)


@pytest.fixture(scope="module")
def killed(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Point, Aftermath]:
    """One server killed at each point, all at the same time: what takes long is a lease running out."""
    found = asyncio.run(kill_everywhere(cluster, template, tmp_path_factory.mktemp("home"), rounds=1))
    return {point: once[0] for point, once in found.items()}


@pytest.mark.parametrize("point", Point)
def test_a_kill_loses_and_doubles_nothing(
    killed: Mapping[Point, Aftermath], point: Point, record_property: Record
) -> None:
    record_property("settled_s", round(killed[point].settled_s, 1))
    assert_nothing_lost_or_doubled(point, killed[point])


@pytest.mark.long
@pytest.mark.parametrize("point", Point)
def test_no_point_is_safe_by_luck(
    often_killed: Mapping[Point, list[Aftermath]], point: Point, record_property: Record
) -> None:
    record_property("kills_at_each_point", ROUNDS_LONG * TURNS_LONG)
    record_property("settled_max_s", round(max(after.settled_s for after in often_killed[point]), 1))
    assert len(often_killed[point]) == ROUNDS_LONG
    for after in often_killed[point]:
        assert_nothing_lost_or_doubled(point, after)


@pytest.fixture(scope="module", params=range(TURNS_LONG))
def often_killed(
    request: pytest.FixtureRequest, cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Point, list[Aftermath]]:
    return asyncio.run(kill_everywhere(cluster, template, tmp_path_factory.mktemp("home"), ROUNDS_LONG))
