"""One user's abuse of the machine, and how long another user's calls take meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sandbox import watch
from sandbox.budgets import Rate
from tests.acceptance.docker_tier import docker_tier
from tests.acceptance.running import User
from tests.support.figures import Record

CALLS = 300
SLOWER_MAX = 2.0
QUICK = "def run(inputs):\n    return 1"
LIMITS = {"wall_ms_max": 5_000}
ABUSE = {
    "threads": """
import threading
def spin():
    while True:
        pass
def run():
    threads = [threading.Thread(target=spin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "forks": """
import os
def run():
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
    "memory": "def run():\n    held = []\n    while True:\n        held.append(bytearray(1 << 20))",
    "output": "def run():\n    while True:\n        print('x' * 1000)",
    "loop": "def run():\n    while True:\n        pass",
}


async def p99_ms(user: User, agent_name: str) -> float:
    """Of calls one after the other."""
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        answer = await user.http.get(user.path(agent_name))
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return sorted(took)[int(CALLS * 0.99)]


@asynccontextmanager
async def abused_by(user: User) -> AsyncIterator[None]:
    """All kinds of abuse, again and again, until the block is left."""

    async def go_on(agent_name: str) -> None:
        while True:
            answer = await user.http.get(user.path(agent_name))
            if answer.status_code in (429, 503):
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(go_on(name)) for name in (*ABUSE, *ABUSE, "restricted-loop")]
    try:
        await asyncio.sleep(2)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def slowdowns() -> dict[str, float]:
    """By tier, how many times as long a second user's calls take while another one's abuse runs."""
    with docker_tier(docker_pool_size=2) as tier:
        hostile, other = tier.user(), tier.user()
        for name, code in ABUSE.items():
            await hostile.create(name, code, tier="docker", limits=LIMITS)
        await hostile.create("restricted-loop", ABUSE["loop"], tier="restricted", limits=LIMITS)
        for name in ("restricted", "docker"):
            await other.create(name, QUICK, tier=name)
            await other.http.get(other.path(name))  # from here on everything is warm
        quiet = {name: await p99_ms(other, name) for name in ("restricted", "docker")}
        async with abused_by(hostile):
            loud = {name: await p99_ms(other, name) for name in ("restricted", "docker")}
        for user in (hostile, other):
            await user.http.aclose()
    return {name: round(loud[name] / quiet[name], 2) for name in quiet}


# The p99 of 300 calls is the third worst of them: where a machine does other things too, one of a few tries has to do.
@pytest.mark.parametrize("tries", [3, pytest.param(1, marks=pytest.mark.long)])
async def test_calls_of_a_second_user_stay_within_twice_their_quiet_time(tries: int, record_property: Record) -> None:
    seen: list[dict[str, float]] = []
    while len(seen) < tries and (not seen or max(seen[-1].values()) > SLOWER_MAX):
        seen.append(await slowdowns())
    record_property("p99 beside abuse", str(seen[-1]))

    assert max(seen[-1].values()) <= SLOWER_MAX, seen


@pytest.mark.long
async def test_control_they_do_not_where_busy_runs_are_left_at_full_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Rate(per_s=1e12, ahead=1e12, debt_max=1e12)
    monkeypatch.setattr(watch, "cpu_rate", lambda: endless)

    slower = await slowdowns()

    assert max(slower.values()) > SLOWER_MAX, slower
