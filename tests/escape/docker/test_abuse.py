"""Every program that abuses a container: it ends as it may, in time, and the next run finds nothing of it."""

from dataclasses import replace

import pytest

from sandbox.types import Limits, Outcome
from tests.escape.docker.abuse import FRESH, IS_FRESH, Abuse, read_abuses
from tests.support.docker_sandbox import LIMITS, Run, docker_sandbox, runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWNER = "abuser"
ABUSES = read_abuses()
ON_THE_GUEST = [abuse for abuse in ABUSES if "guest" in abuse.name or "signals" in abuse.name]


def limits_for(abuse: Abuse) -> Limits:
    """Short for those that only time ends; for the others enough on a busy machine."""
    if Outcome.TIMED_OUT in abuse.outcomes:
        return replace(LIMITS, wall_ms_max=2_000, cpu_ms_max=800)
    return replace(LIMITS, wall_ms_max=40_000, cpu_ms_max=20_000)


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.name)
async def test_abuse_ends_as_it_may_and_leaves_nothing(run: Run, abuse: Abuse) -> None:
    limits = limits_for(abuse)

    result = await run(abuse.source, limits=limits, owner=OWNER)

    assert result.outcome in abuse.outcomes, result
    assert result.usage.wall_ms < limits.wall_ms_max + 1_000
    assert (await run(IS_FRESH, limits=replace(limits, wall_ms_max=40_000), owner=OWNER)).value == FRESH


LEAVES = """
import ctypes, json, os, pathlib, subprocess, sys, threading, time

pathlib.Path("/tmp/left").write_text("x" * 100_000)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
os.chdir("/")
os.open("/", os.O_RDONLY)
dumps = json.dumps
json.dumps = lambda value, **options: "forged" if value == {"a": [1, None]} else dumps(value, **options)
os.nice(1)
os.environ["MARK"] = "1"
"""


async def test_look_finds_what_is_there(run: Run) -> None:
    """The control: what a run leaves, a look within the same run finds."""
    result = await run(f"{LEAVES}\n{IS_FRESH}", limits=replace(LIMITS, wall_ms_max=40_000), owner=OWNER)

    assert isinstance(result.value, dict), result
    same = {name for name, value in result.value.items() if value == FRESH[name]}
    assert same == {"guest_nice", "cpus"}, "the guest's own, which no run can change"


async def test_no_program_ends_its_guest() -> None:
    guest_started = "def run(inputs):\n    return open('/proc/1/stat').read().rpartition(')')[2].split()[19]"
    async with docker_sandbox(user_containers_max=1, pool_size=0) as sandbox:
        run = runner(sandbox)
        before = (await run(guest_started)).value

        for abuse in ON_THE_GUEST:
            await run(abuse.source, limits=limits_for(abuse))

        assert (await run(guest_started)).value == before
