"""The functional part on gVisor, where the engine lists it: slower, with the same results."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from sandbox.docker import DockerSandbox
from sandbox.types import Outcome, Program
from tests.escape.docker.abuse import FRESH, IS_FRESH
from tests.support.docker_engine import engine
from tests.support.docker_sandbox import LIMITS, Run, docker_sandbox, runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNTIME = "runsc"
SLOW = replace(LIMITS, wall_ms_max=30_000, cpu_ms_max=20_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gvisor() -> AsyncIterator[DockerSandbox]:
    with engine() as client:
        if RUNTIME not in client.info()["Runtimes"]:
            pytest.skip("the engine does not list runsc")
    async with docker_sandbox(runtime=RUNTIME, pool_size=2) as opened:
        yield opened


@pytest.fixture
def run(gvisor: DockerSandbox) -> Run:
    return runner(gvisor)


async def test_wall_names_the_runtime(gvisor: DockerSandbox) -> None:
    assert f"runtime {RUNTIME}" in gvisor.wall.pieces


async def test_program_gets_inputs_prints_and_answers(run: Run) -> None:
    source = """
import os

def run(inputs, ctx):
    print("one")
    os.write(1, b"two\\n")
    ctx.log("three")
    return inputs
"""

    result = await run(source, {"a": [1, None, "ü"]}, limits=SLOW)

    assert (result.outcome, result.value) == (Outcome.SUCCEEDED, {"a": [1, None, "ü"]})
    assert [line.message for line in result.logs] == ["one", "two", "three"]


async def test_packages_are_at_hand(run: Run) -> None:
    result = await run("import numpy\ndef run():\n    return int(numpy.arange(10).sum())", limits=SLOW)

    assert result.value == 45


async def test_check_refuses_what_does_not_compile(gvisor: DockerSandbox) -> None:
    refusals = await gvisor.check(Program("def run(: pass"))

    assert [refusal.line for refusal in refusals] == [1]
    assert await gvisor.check(Program("def run(): pass")) == ()


@pytest.mark.parametrize(
    ("source", "outcomes"),
    [
        ("def run():\n    1 / 0", {Outcome.FAILED}),
        ("import os\ndef run():\n    os._exit(0)", {Outcome.FAILED}),
        ("import os\ndef run():\n    os.kill(1, 9)\n    while True: pass", {Outcome.FAILED}),
        ("def run():\n    while True: print('x' * 1000)", {Outcome.TOO_MUCH_OUTPUT}),
        ("def run():\n    f = open('/tmp/x', 'wb')\n    while True: f.write(b'x' * 10**6)", {Outcome.DISK_FULL}),
        ("def run():\n    x = []\n    while True: x.append(b'x' * 10**6)", {Outcome.OUT_OF_MEMORY}),
        (
            "import os, time\ndef run():\n    while True:\n        os.fork() or time.sleep(600)",
            {Outcome.TOO_MANY_PROCESSES, Outcome.OUT_OF_MEMORY, Outcome.FAILED, Outcome.TIMED_OUT},
        ),
        ("def run():\n    while True: pass", {Outcome.TIMED_OUT}),
    ],
)
async def test_each_end_has_its_outcome_and_the_next_run_is_fresh(
    run: Run, source: str, outcomes: set[Outcome]
) -> None:
    limits = replace(LIMITS, wall_ms_max=8_000, cpu_ms_max=4_000)

    result = await run(source, limits=limits)

    assert result.outcome in outcomes, result
    assert (await run(IS_FRESH, limits=SLOW)).value == FRESH
