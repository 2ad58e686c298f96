"""Runs of one owner share nothing, one after another and at the same time; runs of two owners share no container."""

import asyncio
from typing import Any

import pytest

from sandbox.types import Outcome
from tests.support.docker_sandbox import Run

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAVE_TRACES = """
import decimal, os, random, secrets, subprocess, sys, threading, time

def run(inputs):
    open("/tmp/trace", "w").close()
    open("/dev/shm/trace", "w").close()
    os.environ["TRACE"] = "1"
    os.nice(5)
    os.umask(0o777)
    sys.modules["trace_of_a_run"] = sys
    decimal.getcontext().prec = 3
    sys.setrecursionlimit(50_000)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return look()

def look():
    return {
        "files": os.listdir("/tmp") + os.listdir("/dev/shm"),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "environment": "TRACE" in os.environ,
        "nice": os.nice(0),
        "umask": os.umask(0o22),
        "modules": "trace_of_a_run" in sys.modules,
        "precision": decimal.getcontext().prec,
        "recursion": sys.getrecursionlimit(),
        "threads": threading.active_count(),
        "random": [random.random(), secrets.token_hex(8)],
    }
"""
LOOK = LEAVE_TRACES.replace("def run(inputs):", "def leave(inputs):") + "\ndef run(inputs):\n    return look()\n"
UNTOUCHED = {
    "files": [],
    "processes": 2,
    "environment": False,
    "nice": 0,
    "umask": 0o22,
    "modules": False,
    "precision": 28,
    "recursion": 1000,
    "threads": 1,
}


async def test_run_finds_nothing_of_the_one_before(run: Run) -> None:
    left: Any = (await run(LEAVE_TRACES, seed=1)).value
    found: Any = (await run(LOOK, seed=2)).value

    assert left["files"] == ["trace", "trace"]
    assert left["processes"] == 3
    assert {name: found[name] for name in UNTOUCHED} == UNTOUCHED
    assert not set(map(str, left["random"])) & set(map(str, found["random"]))


async def test_runs_at_the_same_time_see_nothing_of_each_other(run: Run) -> None:
    linger = LEAVE_TRACES.replace("return look()", "time.sleep(1)\n    return look()", 1)

    lingering = [asyncio.ensure_future(run(linger, seed=seed)) for seed in (3, 4)]
    await asyncio.sleep(0.5)
    found: Any = (await run(LOOK, seed=5)).value
    lingered: list[Any] = [(await task).value for task in lingering]

    assert {name: found[name] for name in UNTOUCHED} == UNTOUCHED
    assert [value["processes"] for value in lingered] == [3, 3]
    seen = [str(number) for value in lingered for number in value["random"]]
    assert len(set(seen)) == len(seen)


async def test_owners_share_no_container(run: Run) -> None:
    where = "import os\ndef run():\n    return [os.stat('/tmp').st_dev, os.readlink('/proc/self/ns/pid'), os.getuid()]"

    alices: list[Any] = [(await run(where, owner="alone-1")).value for _ in range(3)]
    bobs: list[Any] = [(await run(where, owner="alone-2")).value for _ in range(3)]
    alices += [(await run(where, owner="alone-1")).value for _ in range(3)]

    assert not {place for value in alices for place in value} & {place for value in bobs for place in value}
    for values in (alices, bobs):  # or the runs of one owner would share nothing either
        assert len({tuple(value) for value in values}) < len(values)


async def test_result_is_the_programs_whatever_another_program_replaced(run: Run) -> None:
    replacing = await run("import builtins\ndef run():\n    builtins.sum = lambda x: 7\n    return sum([])")

    result = await run("def run():\n    return sum([])")

    assert (replacing.value, result.outcome, result.value) == (7, Outcome.SUCCEEDED, 0)
