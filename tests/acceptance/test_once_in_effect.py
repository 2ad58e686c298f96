"""Calls that are repeated until they are answered, on two servers, through restarts and kills: each done once."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.acceptance.processes import Caller, Process, server_process, token_of
from tests.acceptance.shell import COMMAND_S_MAX
from tests.faults.books import assert_books_close
from tests.support.database import (
    Database,
    Postmaster,
    bundled_binaries,
    database_from,
    make_template,
    running_postmaster,
)
from tests.support.figures import Record

# Its effect: the key of the call, in the agent's memory, and how often it was written there.
NOTE = """
def run(inputs, ctx):
    ctx.memory.put(inputs["key"], ctx.memory.get(inputs["key"], 0) + 1)
    return inputs["key"]
"""
AWAY = "could not be carried out: the database did not answer"
CALLS = 1_000  # of each of five seeds
RESTART_EVERY_S = (5.0, 40.0)
AT_ONCE = 40  # what a killed server had begun is waited for until its lease is over
USERS = 10
DOWN_S_MAX = 2.0
KILL_EVERY_S = 10.0  # of the two servers together, on average
ANSWER_S_MAX = 300.0
GRANT = 10**12


@dataclass
class Site:
    """Two servers on one PostgreSQL, of which either is killed and comes back."""

    postmaster: Postmaster
    database: Database
    home: Path
    servers: list[Process | None] = field(default_factory=lambda: [None, None])
    kills: int = 0
    restarts: int = 0

    @asynccontextmanager
    async def serving(self, place: int) -> AsyncIterator[Process]:
        starting = server_process(self.database, self.home)
        process = await asyncio.to_thread(starting.__enter__)
        self.servers[place] = process
        try:
            yield process
        finally:
            self.servers[place] = None
            await asyncio.to_thread(starting.__exit__, None, None, None)

    async def keep_serving(self, place: int, chance: random.Random, stop: asyncio.Event) -> None:
        """Kill this server again and again, and start another in its place."""
        while not stop.is_set():
            try:
                async with self.serving(place) as process:
                    if await _ends(stop, chance.uniform(KILL_EVERY_S, 3 * KILL_EVERY_S)):
                        return
                    process.signal(signal.SIGKILL)
                    self.kills += 1
                    await asyncio.to_thread(process.popen.wait, COMMAND_S_MAX)
            except AssertionError:  # it came while the database was away, and said so
                continue

    async def keep_restarting(self, chance: random.Random, stop: asyncio.Event) -> None:
        while not await _ends(stop, chance.uniform(*RESTART_EVERY_S)):
            await asyncio.to_thread(self.postmaster.stop, signal.SIGINT)
            await asyncio.sleep(chance.uniform(0, DOWN_S_MAX))
            self.postmaster.start()  # in this thread: with the one that starts it the server ends
            self.restarts += 1


async def _ends(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


@dataclass
class Told:
    """What the callers were told, besides the answer that ended each call."""

    answers: dict[str, int] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)
    unkind: list[str] = field(default_factory=list)
    repeats: int = 0

    def figures(self) -> dict[str, int]:
        statuses = list(self.answers.values())
        return {
            "calls": len(statuses),
            "repeats": self.repeats,
            "lost_and_free": statuses.count(503),
            "failed_without_database": statuses.count(502),
        }


async def call(site: Site, http: httpx.AsyncClient, user: Caller, key: str, told: Told, chance: random.Random) -> None:
    """Repeat one call, at whichever server is there, until its answer is final."""
    deadline, last = time.monotonic() + ANSWER_S_MAX, ""
    while time.monotonic() < deadline:
        process = chance.choice(site.servers)
        answer = None if process is None else await _asked(http, process, user, key)
        if answer is not None and _is_final(answer, told):
            told.answers[key] = answer.status_code
            return
        told.repeats += 1
        last = "no server" if answer is None else answer.text
        await asyncio.sleep(0.2)
    raise AssertionError(f"{key} had no answer; the last that was heard: {last}")


async def _asked(http: httpx.AsyncClient, process: Process, user: Caller, key: str) -> httpx.Response | None:
    headers = {"Authorization": f"Bearer {token_of(user.id)}", "Idempotency-Key": key}
    try:
        return await http.post(process.url + user.path("note"), json={"key": key}, headers=headers)
    except httpx.TransportError:  # the server died, or is not there yet
        return None


def _is_final(answer: httpx.Response, told: Told) -> bool:
    if answer.status_code == 200:
        return True
    problem: dict[str, Any] = answer.json()
    if answer.status_code == 503 and problem["code"] != "lost":
        if "retry-after" not in answer.headers:
            told.unkind.append(answer.text)
        return False
    if answer.status_code == 409:  # its first request is under way
        return False
    if answer.status_code == 502 and AWAY in problem["detail"]:  # the program met the absent database, and said so
        return True
    if answer.status_code != 503:
        told.defects.append(f"{answer.status_code} {answer.text[:300]}")
    return True


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_postmaster(bundled_binaries(), durable=True) as postmaster:
        template = make_template(postmaster.cluster)
        with database_from(postmaster.cluster, template) as database:
            with psycopg.connect(database.owner_url) as conn:
                conn.execute("update public.prices set amount_microcredits = %s where name = 'first_grant'", [GRANT])
            yield Site(postmaster, database, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
async def test_every_call_is_done_once_through_restarts_and_kills(
    site: Site, seed: int, record_property: Record
) -> None:
    chance, told, numbers = random.Random(seed), Told(), count()  # noqa: S311 - repeatable
    users = [Caller.new() for _ in range(USERS)]
    await _make_agents(site, users)

    async def go_on(http: httpx.AsyncClient) -> None:
        while (number := next(numbers)) < CALLS:
            await call(site, http, users[number % USERS], f"key-{number}", told, chance)

    async with (
        faults_at(site, chance),
        httpx.AsyncClient(timeout=60, trust_env=False) as http,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(AT_ONCE):
            group.create_task(go_on(http))
    async with site.serving(0):
        await assert_books_close(site.database)

    for name, figure in told.figures().items():
        record_property(name, figure)
    record_property("restarts", site.restarts)
    record_property("kills", site.kills)
    assert (told.defects, told.unkind) == ([], [])
    assert len(told.answers) == CALLS
    _assert_once(site.database, told)


@asynccontextmanager
async def faults_at(site: Site, chance: random.Random) -> AsyncIterator[None]:
    """Restarts and kills until the block is left; then everything that was on its way is seen to its end."""
    stop = asyncio.Event()
    going_on = [
        *(asyncio.create_task(site.keep_serving(place, chance, stop)) for place in (0, 1)),
        asyncio.create_task(site.keep_restarting(chance, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*going_on)


async def _make_agents(site: Site, users: list[Caller]) -> None:
    async with site.serving(0) as process:
        for user in users:
            async with user.at(process) as client:
                created = await client.post("/agents", json={"agent_name": "note", "code": NOTE, "tier": "restricted"})
                assert created.status_code == 201, created.text


def _assert_once(database: Database, told: Told) -> None:
    """One run for each key, in effect once where it was answered well, charged once where it was, and never twice."""
    with psycopg.connect(database.superuser_url) as conn:
        runs = conn.execute(
            "select inputs ->> 'key', count(*), sum(charge_microcredits),"
            " count(*) filter (where outcome = 'succeeded'), count(*) filter (where state = 'failed')"
            " from public.runs group by 1"
        ).fetchall()
        effects: dict[str, int] = dict(conn.execute("select key, value::text::int from public.agent_memory").fetchall())
        settled: dict[str, int] = dict(
            conn.execute(
                "select r.inputs ->> 'key', count(*) from public.credit_entries e join public.runs r on r.id = e.run_id"
                " where e.kind in ('settle', 'release') group by 1"
            ).fetchall()
        )
    assert set(effects.values()) <= {1}
    for key, number, charge, succeeded, failed in runs:
        assert (number, settled[key]) == (1, 1), key
        assert succeeded + failed == 1, key
        assert bool(succeeded) == (told.answers[key] == 200), key
        assert bool(charge) == (told.answers[key] != 503), key
    assert {key for key, status in told.answers.items() if status == 200} <= set(effects)
    assert {key for key, *_ in runs} == set(told.answers)
