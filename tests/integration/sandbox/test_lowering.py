"""A child that is busy for long goes behind everybody else, and a quick one does not."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import watch
from sandbox.budgets import Rate
from sandbox.restricted import RestrictedSandbox
from sandbox.types import Outcome, Program
from tests.integration.sandbox.conftest import LIMITS
from tests.support.gloves import FixedGloves
from tests.support.processes import descendants_of, settle

BUSY = "def run():\n    while True:\n        pass"
NAP = "import time\ndef run():\n    time.sleep(0.5)"
LOWERED_S_MAX = 20.0
# So little that a busy run goes over it however busy the machine is with other things, and even again within seconds.
SMALL = Rate(per_s=50e6, ahead=100e6, debt_max=20e6)


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "cpu_rate", lambda: SMALL)


def idle_ones() -> list[int]:
    found = []
    for pid in descendants_of(os.getpid()):
        try:
            if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                found.append(pid)
        except ProcessLookupError:
            continue  # it ended meanwhile
    return found


def groups_of_the_dead() -> list[Path]:
    roots = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
    groups = (group for root in roots for group in root.glob("glovebox-idle-*"))
    return [group for group in groups if not Path("/proc", group.name.rpartition("-")[2]).exists()]


async def test_busy_child_is_lowered_and_ends_at_its_limit_all_the_same(
    small_budget: None, sandbox: RestrictedSandbox
) -> None:
    limits = replace(LIMITS, wall_ms_max=60_000, cpu_ms_max=400)
    running = asyncio.ensure_future(sandbox.run(Program(BUSY), {}, limits, FixedGloves()))

    await settle(lambda: bool(idle_ones()), LOWERED_S_MAX)
    result = await running

    assert result.outcome == Outcome.TIMED_OUT


async def test_child_that_sleeps_is_not_lowered(small_budget: None, sandbox: RestrictedSandbox) -> None:
    running = asyncio.ensure_future(sandbox.run(Program(NAP), {}, LIMITS, FixedGloves()))
    seen = []
    while not running.done():
        seen += idle_ones()
        await asyncio.sleep(0.02)

    assert (await running).outcome == Outcome.SUCCEEDED
    assert seen == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes control groups")
async def test_no_group_is_left_of_a_tier_that_closed() -> None:
    sandbox = RestrictedSandbox(uid=64_999, pool_size=1)
    await sandbox.open()
    await sandbox.close()

    assert groups_of_the_dead() == []
