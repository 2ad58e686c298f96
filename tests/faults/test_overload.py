"""More calls than a server can take: what it admits is answered in time, the rest is told when to come again."""

import asyncio
import statistics
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.acceptance.processes import Caller, Process, server_process
from tests.faults.load import assert_nothing_left, assert_recovers
from tests.support.database import Database

PLACES, WAITING, WAIT_S = 4, 12, 2.0
NAP_S = 0.4
NAP = f"import time\ndef run():\n    time.sleep({NAP_S})\n    return 1"
USERS, CALLS_EACH = 8, 15
FLOOD_CALLS, OTHER_CALLS = PLACES + WAITING, 3
SLACK_S = 3.0  # of a busy machine, on top of waiting and running
BOUNDS = {
    "GLOVEBOX_RUNS_LIVE_MAX": str(PLACES),
    "GLOVEBOX_RUNS_WAITING_MAX": str(WAITING),
    "GLOVEBOX_RUN_WAIT_MS_MAX": str(int(WAIT_S * 1000)),
    "GLOVEBOX_SANDBOX_POOL_SIZE": str(PLACES),
}


async def create(server: Process, users: list[Caller]) -> None:
    for user in users:
        async with user.at(server) as client:
            body = {"agent_name": "nap", "code": NAP, "tier": "restricted"}
            assert (await client.post("/agents", json=body)).status_code == 201


async def call(client: httpx.AsyncClient, user: Caller) -> tuple[httpx.Response, float]:
    started = time.perf_counter()
    answer = await client.get(user.path("nap"))
    return answer, time.perf_counter() - started


async def test_admitted_calls_are_answered_in_time_and_the_rest_told_when_to_come_again(
    database: Database, tmp_path: Path
) -> None:
    users = [Caller.new() for _ in range(USERS)]
    with server_process(database, tmp_path, log=tmp_path / "log", **BOUNDS) as server:
        await create(server, users)
        clients = {user: user.at(server) for user in users}
        calls = [call(clients[user], user) for user in users for _ in range(CALLS_EACH)]
        answered = await asyncio.gather(*calls)
        for client in clients.values():
            await client.aclose()
        await assert_recovers(server, users[0], "nap")

    statuses = Counter(answer.status_code for answer, _ in answered)
    admitted_s = [seconds for answer, seconds in answered if answer.status_code == 200]
    assert set(statuses) == {200, 503}
    assert statuses[200] >= PLACES + WAITING
    assert max(admitted_s) <= WAIT_S + NAP_S + SLACK_S
    for answer, _ in answered:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["code"] == "server_busy"
    per_user = Counter(str(answer.url.path) for answer, _ in answered if answer.status_code == 200)
    assert len(per_user) == USERS, "everybody got a turn"
    await assert_nothing_left(database)


async def test_one_users_flood_waits_for_itself_and_lets_another_pass(database: Database, tmp_path: Path) -> None:
    flooding, other = Caller.new(), Caller.new()
    with server_process(database, tmp_path, log=tmp_path / "log", **BOUNDS) as server:
        await create(server, [flooding, other])
        async with flooding.at(server) as many, other.at(server) as one:
            flood = asyncio.gather(*(call(many, flooding) for _ in range(FLOOD_CALLS)))
            await asyncio.sleep(NAP_S / 2)  # by now it has every place that it may have, and fills the queue
            passed = [await call(one, other) for _ in range(OTHER_CALLS)]
            flooded = await flood

    assert [answer.status_code for answer, _ in passed] == [200] * OTHER_CALLS
    took_s = [seconds for answer, seconds in flooded if answer.status_code == 200]
    assert statistics.median(seconds for _, seconds in passed) < statistics.median(took_s)
    assert {answer.status_code for answer, _ in flooded} <= {200, 503}
    await assert_nothing_left(database)
