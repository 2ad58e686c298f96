"""Hostile runs by the hundred: the server's own memory, descriptors and processes do not grow."""

import asyncio
import gc
import os
from collections.abc import Iterator
from itertools import cycle, islice

import pytest

from sandbox.types import Limits, Result
from tests.escape.corpus import read_hostile
from tests.escape.sandboxes import NO_POLICY, OWN_UID, POLICY, POOL_SIZE, Run, opened, runner
from tests.escape.wall_acts import ACTS, program_of
from tests.support.figures import Record
from tests.support.processes import count_descriptors, descendants_of, resident_bytes, settle

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOAK_LIMITS = Limits(wall_ms_max=150, cpu_ms_max=100, memory_bytes_max=32 * 1024 * 1024, output_bytes_max=64 * 1024)
WARM_UP = 60
RESIDENT_GROWTH_MAX, DESCRIPTORS_GROWTH_MAX = 0.10, 10
SETTLE_S_MAX = 5
CALM = 30  # looks, 10 ms apart
# Acts that need the canaries get places where nothing is.
NOWHERE = {"file": "/nowhere", "port": 9, "abstract": "nowhere", "victim": 1 << 21, "server": 1 << 21, "name": "x"}
GREEDY = (
    "def run():\n    while True:\n        pass",
    "def run():\n    return 'x' * 10 ** 9",
    "def run():\n    return 'x' * 200000",
    "def run():\n    while True:\n        print('x' * 1000)",
    "def run():\n    kept = [[]]\n    while True:\n        kept = [kept, kept * 2]",
    "def run():\n    return run()",
    "def run():\n    nested = []\n    for _ in range(10000):\n        nested = [nested]\n    return nested",
    "import time\ndef run():\n    time.sleep(60)",
    "raise SystemExit\ndef run():\n    return 1",
    "def run(:",
)


def _policed() -> Iterator[str]:
    programs = [program.source for program in read_hostile()]
    return cycle([source for part in zip(programs, cycle(GREEDY)) for source in part])


def _plain() -> Iterator[str]:
    return cycle([*(program_of(name) for name in ACTS), *(program.source for program in read_hostile())])


@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.long)])
async def test_hostile_runs_leave_nothing_in_the_server(count: int, record_property: Record) -> None:
    async with opened(POLICY) as policed, opened(NO_POLICY, uid=OWN_UID - 1) as plain:
        full = await _count_processes()
        parts = [(runner(policed), _policed()), (runner(plain), _plain())]
        for run, sources in parts:
            await _run_all(run, list(islice(sources, WARM_UP)))
        await _count_processes()
        before = _measure()

        for run, sources in parts:
            await _run_all(run, list(islice(sources, count // 2)))
        processes, after = await _count_processes(), _measure()

        record_property("restricted_runs", count)
        record_property("memory_growth_percent", round(100 * (after[0] / before[0] - 1), 1))
        record_property("descriptors_more", after[1] - before[1])
        assert after[0] <= before[0] * (1 + RESIDENT_GROWTH_MAX)
        assert after[1] <= before[1] + DESCRIPTORS_GROWTH_MAX
        assert processes <= full


async def _run_all(run: Run, sources: list[str]) -> None:
    places = asyncio.Semaphore(POOL_SIZE)

    async def do(source: str) -> Result:
        async with places:
            return await run(source, NOWHERE, limits=SOAK_LIMITS)

    results = await asyncio.gather(*map(do, sources))
    assert len(results) == len(sources)


def _measure() -> tuple[int, int]:
    """Resident bytes and descriptors."""
    gc.collect()
    return resident_bytes(), count_descriptors()


async def _count_processes() -> int:
    """Processes of every open sandbox, once their number does not change any more."""
    counts: list[int] = []

    def calm() -> bool:
        counts.append(len(descendants_of(os.getpid())))
        return len(counts) > CALM and len(set(counts[-CALM:])) == 1

    await settle(calm, SETTLE_S_MAX)
    return counts[-1]
