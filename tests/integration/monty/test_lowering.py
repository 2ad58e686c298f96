"""A worker that is busy for long goes behind everybody else, and is an ordinary one for the next run."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import watch
from sandbox.budgets import Rate
from sandbox.monty import MontySandbox
from sandbox.restricted.idle_group import IdleGroup
from sandbox.types import Outcome, Program
from tests.integration.monty.conftest import LIMITS, UID
from tests.support.gloves import FixedGloves
from tests.support.processes import descendants_of, settle

BUSY = "def run(inputs):\n    n = 0\n    while n < inputs['count']:\n        n += 1\n    return n"
LOWERED_S_MAX = 20.0
# So little that a busy run goes over it however busy the machine is with other things, and even again within seconds.
SMALL = Rate(per_s=50e6, ahead=100e6, debt_max=20e6)


@pytest.fixture
def writable() -> None:
    probe = IdleGroup.create(f"probe-{os.getpid()}", None)
    if probe is None:
        if os.environ.get("CI") and os.geteuid() == 0:  # noqa: TID251 - the test decides here whether it may skip
            pytest.fail("CI gives no idle control group that can be written")
        pytest.skip("this machine gives no idle control group that can be written")
    probe.remove()


def idle_ones() -> list[int]:
    found = []
    for pid in descendants_of(os.getpid()):
        try:
            if "glovebox-idle-" in Path(f"/proc/{pid}/cgroup").read_text():
                found.append(pid)
        except OSError:
            continue  # it ended meanwhile
    return found


async def test_busy_worker_is_lowered_and_taken_back_after_the_run(
    writable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "cpu_rate", lambda: SMALL)
    sandbox = MontySandbox(uid=UID, workers=1)
    await sandbox.open()
    try:
        limits, count = replace(LIMITS, wall_ms_max=60_000), 5_000_000
        running = asyncio.ensure_future(sandbox.run(Program(BUSY), {"count": count}, limits, FixedGloves()))
        await settle(lambda: bool(idle_ones()), LOWERED_S_MAX)
        result = await running
        left = idle_ones()
    finally:
        await sandbox.close()

    assert (result.outcome, result.value) == (Outcome.SUCCEEDED, count)
    assert left == []
