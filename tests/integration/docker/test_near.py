"""The short way to a guest is no way for a program, and the long one does as well."""

import os
from typing import Any

import pytest

from sandbox.docker import container
from sandbox.docker.near import open_pipes
from sandbox.types import Limits, Outcome
from tests.support.docker_sandbox import docker_sandbox, runner

LARGE = "x" * 300_000  # more than any buffer on the way
ECHO = "def run(inputs):\n    print('seen')\n    return inputs"
REACH = """
import os

def run(inputs):
    reached = []
    for number in inputs["numbers"]:
        for place in ("1", "self"):
            try:
                os.close(os.open(f"/proc/{place}/fd/{number}", os.O_RDWR | os.O_NONBLOCK))
                reached.append(f"{place}/{number}")
            except OSError:
                pass
    return {"reached": reached, "own": sorted(map(int, os.listdir("/proc/self/fd")))}
"""


async def test_pipes_of_the_guest_are_out_of_reach_of_its_program(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def watch(*args: Any) -> object:
        taken.append(open_pipes(*args))
        return taken[-1]

    monkeypatch.setattr(container, "open_pipes", watch)
    async with docker_sandbox(pool_size=0) as sandbox:
        found: Any = (await runner(sandbox)(REACH, {"numbers": list(range(8, 20))})).value

    assert found["reached"] == []
    assert found["own"] == [0, 1, 2, 3, 4]  # the last is of the listing itself
    if os.geteuid() == 0:
        assert taken
        assert None not in taken  # else nothing was open that could have been reached


@pytest.mark.parametrize("near", [True, False])
async def test_large_inputs_results_and_output_pass_either_way(monkeypatch: pytest.MonkeyPatch, near: bool) -> None:
    if not near:
        monkeypatch.setattr(container, "open_pipes", lambda *_: None)
    async with docker_sandbox(pool_size=0) as sandbox:
        run = runner(sandbox)
        limits = Limits(output_bytes_max=2 * 1024 * 1024)
        results = [await run(ECHO, {"text": LARGE, "turn": turn}, limits=limits) for turn in range(3)]
        died = await run("import os\ndef run():\n    os._exit(3)")
        after = await run("def run():\n    return 'fresh'")

    assert [result.value for result in results] == [{"text": LARGE, "turn": turn} for turn in range(3)]
    assert [line.message for line in results[0].logs] == ["seen"]
    assert died.outcome is Outcome.FAILED
    assert after.value == "fresh"
