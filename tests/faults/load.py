"""Users who call without a pause while a fault is on, and what they were told."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.acceptance.processes import Caller, Process
from tests.acceptance.running import eventually
from tests.faults.books import assert_books_close
from tests.support.database import Database

ECHO = "def run(inputs):\n    return inputs"
EMPTY: Mapping[str, Any] = {}


@dataclass
class Answers:
    """What users were told, counted: by status, and every answer of a server that had no good one."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[httpx.Response] = field(default_factory=list)
    slowest_s: float = 0.0

    def take(self, answer: httpx.Response) -> None:
        self.slowest_s = max(self.slowest_s, answer.elapsed.total_seconds())
        self.statuses[answer.status_code] += 1
        if answer.status_code != 200:
            self.refusals.append(answer)

    async def some(self, above: int = 0) -> bool:
        """Whether enough calls were answered well, after the first `above`, to say that all is well."""
        return self.statuses[200] >= above + 3

    def assert_only_refused_kindly(self) -> None:
        """Whatever was not answered was refused with what to do, and never as a defect."""
        assert set(self.statuses) <= {200, 503}, self.statuses
        for answer in self.refusals:
            assert "retry-after" in answer.headers, answer.text
            assert "Traceback" not in answer.text
            assert "psycopg" not in answer.text


@asynccontextmanager
async def calling(
    server: Process, users: list[Caller], each: int = 3, inputs: Mapping[str, Any] = EMPTY
) -> AsyncIterator[Answers]:
    """`each` clients of every user call until the block is left; every call is seen to its answer."""
    answers, stop = Answers(), asyncio.Event()

    async def call(user: Caller) -> None:
        async with user.at(server) as client:
            while not stop.is_set():
                answers.take(await client.post(user.path("echo"), json=inputs))

    async with asyncio.TaskGroup() as group:
        for user in users:
            for _ in range(each):
                group.create_task(call(user))
        try:
            yield answers
        finally:
            stop.set()


async def create_agents(server: Process, users: list[Caller]) -> None:
    for user in users:
        async with user.at(server) as client:
            created = await client.post("/agents", json={"agent_name": "echo", "code": ECHO})
            assert created.status_code == 201, created.text
            assert (await client.get(user.path("echo"), params={"n": 0})).status_code == 200


async def assert_recovers(server: Process, user: Caller, agent_name: str = "echo") -> float:
    """Within the bounds of `eventually` calls are answered and the server says that it is ready; after how long."""
    started = time.monotonic()

    async def serves() -> bool:
        async with user.at(server) as client:
            called, ready = await client.get(user.path(agent_name)), await client.get("/health/ready")
            return (called.status_code, ready.status_code) == (200, 200)

    await eventually(serves)
    return time.monotonic() - started


async def assert_nothing_left(database: Database) -> None:
    """Every run ended, every hold was closed, and every sum agrees."""
    await assert_books_close(database)


async def balance_of(server: Process, user: Caller) -> int:
    async with user.at(server) as client:
        answer: dict[str, int] = (await client.get("/credits")).json()
    assert answer["held_microcredits"] == 0
    return answer["available_microcredits"]


async def all_runs(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/runs", params={"limit": 100, **cursor})).json()
        runs += page["items"]
        if page["next_cursor"] is None:
            return runs
        cursor = {"cursor": page["next_cursor"]}
