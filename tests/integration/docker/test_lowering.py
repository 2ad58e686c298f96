"""A container that is busy for long goes behind everybody else until its owner has been quiet for a while."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import watch
from sandbox.budgets import Rate
from sandbox.docker.cgroup import find_counters
from sandbox.types import Outcome
from tests.integration.docker.test_engine import until
from tests.support.docker_engine import engine
from tests.support.docker_sandbox import LIMITS, docker_sandbox, new_lease, runner

BUSY = "def run():\n    while True:\n        pass"
LOWERED_S_MAX = 20.0
# So little that a busy run goes over it however busy the machine is with other things, and even again within seconds.
SMALL = Rate(per_s=40e6, ahead=100e6, debt_max=20e6)


def weights(lease: str) -> list[Path]:
    """Where the containers of a lease say how they stand against others."""
    with engine() as client:
        found = client.containers.list(filters={"label": f"glovebox.lease={lease}"}, ignore_removed=True)
        places = [find_counters(str(one.id), one.attrs["State"]["Pid"]) for one in found]
    return [counters.weight / "cpu.idle" for counters in places if counters.weight is not None]


async def test_busy_container_is_lowered_and_restored_for_a_later_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "cpu_rate", lambda: SMALL)
    lease = new_lease()
    async with docker_sandbox(lease=lambda: lease, pool_size=0) as sandbox:
        run = runner(sandbox)
        assert (await run("def run():\n    return 1")).value == 1
        [idle] = weights(lease)
        if not idle.exists():
            pytest.skip("this kernel knows no idle groups: Linux 5.15 does")
        usual = idle.read_text().strip()

        limits = replace(LIMITS, wall_ms_max=60_000, cpu_ms_max=400)
        busy = asyncio.ensure_future(run(BUSY, limits=limits))
        await until(lambda: idle.read_text().strip() == "1", LOWERED_S_MAX)
        outcome = (await busy).outcome

        async with asyncio.timeout(LOWERED_S_MAX):
            while idle.read_text().strip() == "1":  # until its owner's budget is even again
                await asyncio.sleep(1)
                assert (await run("def run():\n    return 1")).value == 1

    assert usual == "0"
    assert outcome == Outcome.TIMED_OUT
