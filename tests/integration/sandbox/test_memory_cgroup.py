"""The cgroup around a whole tier: the kernel ends the largest child, and nothing of it is left."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.restricted import RestrictedSandbox, memory_cgroup
from sandbox.restricted.memory_cgroup import MemoryCgroup
from sandbox.types import Outcome, Program
from tests.integration.sandbox.conftest import LIMITS, UID
from tests.support.gloves import FixedGloves

HOG = "import time\ndef run():\n    x = bytearray(150 * 1024 * 1024)\n    time.sleep(2)\n    return len(x)"


@pytest.fixture
def writable() -> None:
    probe = MemoryCgroup.create("probe")
    if probe is None:
        if os.environ.get("CI") and os.geteuid() == 0:  # noqa: TID251 - the test decides here whether it may skip
            pytest.fail("CI gives no memory cgroup that can be written")
        pytest.skip("this machine gives no memory cgroup that can be written")
    probe.remove()


def ours() -> list[Path]:
    roots = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
    return [path for root in roots if root.exists() for path in root.glob(f"{memory_cgroup.PREFIX}*")]


async def test_tier_that_uses_up_its_share_loses_its_largest_run(
    writable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    monkeypatch.setattr(memory_cgroup, "SHARE_OF_MACHINE", 400 * 1024 * 1024 / machine_bytes)
    limits = replace(LIMITS, memory_bytes_max=200 * 1024 * 1024)
    sandbox = RestrictedSandbox(uid=UID, pool_size=4)
    await sandbox.open()
    try:
        results = await asyncio.gather(*(sandbox.run(Program(HOG), {}, limits, FixedGloves()) for _ in range(4)))
        after = await sandbox.run(Program("def run():\n    return 1"), {}, limits, FixedGloves())
    finally:
        await sandbox.close()

    outcomes = [result.outcome for result in results]
    assert Outcome.OUT_OF_MEMORY in outcomes
    assert set(outcomes) <= {Outcome.OUT_OF_MEMORY, Outcome.SUCCEEDED}
    assert after.outcome == Outcome.SUCCEEDED


async def test_cgroup_of_a_killed_server_is_removed_by_the_next(writable: None) -> None:
    left = MemoryCgroup.create("left-behind")
    assert left is not None
    sandbox = RestrictedSandbox(uid=UID, pool_size=1)
    await sandbox.open()
    during = ours()
    await sandbox.close()

    assert left.path not in during
    assert len(during) >= 1
