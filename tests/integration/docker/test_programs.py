"""What programs of this tier can do: any package of the image, processes, files, output past Python, `ctx`."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sandbox.types import GloveError, GloveFault, JsonValue, Outcome, RunStoppedError
from tests.support.docker_sandbox import LIMITS, Run

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_packages_of_the_image_are_at_hand(run: Run) -> None:
    source = """
import numpy as np
import pandas as pd

def run(inputs):
    frame = pd.DataFrame({"city": ["a", "b", "a"], "high": inputs["highs"]})
    return {"mean": float(np.mean(frame["high"])), "by_city": frame.groupby("city")["high"].max().to_dict()}
"""
    result = await run(source, {"highs": [1, 2, 6]}, limits=replace(LIMITS, wall_ms_max=20_000, cpu_ms_max=10_000))

    assert result.error is None
    assert result.value == {"mean": 3.0, "by_city": {"a": 6, "b": 2}}


async def test_missing_module_is_an_ordinary_import_error(run: Run) -> None:
    result = await run("import nothing_like_this\ndef run():\n    return 1")

    assert result.outcome == Outcome.FAILED
    assert result.error is not None
    assert (result.error.type, result.error.line) == ("ModuleNotFoundError", 1)


async def test_output_past_python_becomes_log_lines_in_order(run: Run) -> None:
    source = """
import ctypes, os, subprocess, sys

def run(inputs, ctx):
    print("first")
    os.write(1, b"second\\n")
    ctx.log("third", number=3)
    subprocess.run(["echo", "fourth"], check=True)
    print("fifth", file=sys.stderr)
    ctypes.CDLL(None).puts(b"sixth")
    sys.stdout.write("no end")
    return 1
"""
    result = await run(source)

    assert [line.message for line in result.logs] == ["first", "second", "third", "fourth", "fifth", "no end", "sixth"]
    assert result.logs[2].fields == {"number": 3}


async def test_output_of_a_crash_is_kept(run: Run) -> None:
    source = """
import faulthandler, ctypes

def run(inputs):
    faulthandler.enable(file=2)
    print("before")
    ctypes.string_at(0)
"""
    result = await run(source)

    assert result.outcome == Outcome.FAILED
    assert result.error is not None
    assert "SIGSEGV" in result.error.message
    assert result.logs[0].message == "before"
    assert any("Segmentation fault" in line.message for line in result.logs)


async def test_bytes_that_are_no_text_are_logged_as_replacements(run: Run) -> None:
    result = await run("import os\ndef run():\n    os.write(1, b'\\xff\\x00\\n')\n    return 1")

    assert result.logs[0].message == "\ufffd\ufffd"


async def test_print_of_a_forked_process_is_logged_and_its_ctx_is_refused(run: Run) -> None:
    source = """
import os

def run(inputs, ctx):
    if os.fork() == 0:
        print("child", flush=True)
        try:
            ctx.log("no")
        except RuntimeError as error:
            print(error, flush=True)
        os._exit(0)
    os.wait()
    return "parent"
"""
    result = await run(source)

    assert result.value == "parent"
    assert [line.message for line in result.logs] == ["child", "ctx belongs to the process that run() was called in"]


async def test_multiprocessing_and_dataclasses_find_the_program(run: Run) -> None:
    source = """
from dataclasses import dataclass
from multiprocessing import Pool
import pickle

@dataclass
class Point:
    x: int

def double(x):
    return Point(x * 2)

def run(inputs):
    with Pool(2) as pool:
        return [point.x for point in pool.map(double, range(5))] + [pickle.loads(pickle.dumps(Point(7))).x]
"""
    assert (await run(source)).value == [0, 2, 4, 6, 8, 7]


@pytest.mark.parametrize(
    ("limit", "value", "source"),
    [
        (
            "processes_max",
            40,
            "import threading, time\ndef run():\n    for _ in range(30):\n"
            "        threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()\n    return 1",
        ),
        (
            "disk_bytes_max",
            100 * 1024 * 1024,
            "def run():\n    return open('/tmp/big', 'wb').write(b'x' * 90_000_000)",
        ),
        ("memory_bytes_max", 256 * 1024 * 1024, "def run():\n    return len(b'x' * 180_000_000)"),
    ],
)
async def test_limits_above_the_defaults_are_given(run: Run, limit: str, value: int, source: str) -> None:
    within = await run(source, limits=replace(LIMITS, **{limit: value}))
    beyond = await run(source)

    assert within.outcome == Outcome.SUCCEEDED
    assert beyond.error is not None
    assert limit in beyond.error.message


@pytest.mark.parametrize(
    ("source", "outcome", "limit"),
    [
        ("def run():\n    while True: pass", Outcome.TIMED_OUT, "cpu_ms_max"),
        ("import time\ndef run():\n    time.sleep(60)", Outcome.TIMED_OUT, "wall_ms_max"),
        ("def run():\n    x = []\n    while True: x.append(b'x' * 10**6)", Outcome.OUT_OF_MEMORY, "memory_bytes_max"),
        ("def run():\n    return len('x' * 10**13)", Outcome.OUT_OF_MEMORY, "memory_bytes_max"),
        ("def run():\n    while True: print()", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("import os\ndef run():\n    while True: os.write(1, b'x' * 999)", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        (
            "import os\ndef run():\n    while True: os.fork() or os.read(3, 1)",
            Outcome.TOO_MANY_PROCESSES,
            "processes_max",
        ),
        ("def run():\n    open('/tmp/x', 'wb').write(b'x' * 10**8)", Outcome.DISK_FULL, "disk_bytes_max"),
    ],
)
async def test_each_limit_ends_the_run_and_is_named(run: Run, source: str, outcome: Outcome, limit: str) -> None:
    # On a busy machine CPU time runs slower than the clock: only the sleeper may meet wall_ms_max first.
    limits = replace(LIMITS, wall_ms_max=1_000 if limit == "wall_ms_max" else 30_000, cpu_ms_max=700)
    if limit != "cpu_ms_max":
        limits = replace(limits, cpu_ms_max=20_000)

    result = await run(source, limits=limits)

    assert result.outcome == outcome
    assert result.usage.wall_ms < limits.wall_ms_max + 1_000
    assert result.error is not None
    assert f"{limit} ({getattr(limits, limit)})" in result.error.message


async def test_ctx_asks_the_host_and_meets_its_refusals(run: Run) -> None:
    async def answer(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        if glove == "memory.get":
            return {"found": True, "value": [arguments["key"], 1]}
        raise GloveError(GloveFault.PERMISSION, "not allowed")

    source = """
import threading

def run(inputs, ctx):
    got = []
    threads = [threading.Thread(target=lambda: got.append(ctx.memory.get("k"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        ctx.fetch("https://example.com")
    except PermissionError as error:
        got.append(str(error))
    return got
"""
    assert (await run(source, answer=answer)).value == [["k", 1]] * 4 + ["not allowed"]


async def test_dry_run_that_cannot_go_on_ends_incomplete(run: Run) -> None:
    async def stop(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise RunStoppedError

    result = await run("def run(inputs, ctx):\n    ctx.memory.put('a', 1)\n    return 1", answer=stop, test=True)

    assert (result.outcome, result.complete, result.value) == (Outcome.SUCCEEDED, False, None)
    assert (await run("def run():\n    return 2")).value == 2


@pytest.mark.parametrize(
    ("expression", "replayable"),
    [
        ("random.random()", True),
        ("float(__import__('numpy').random.rand())", True),
        ("os.urandom(4).hex()", False),
        ("uuid.uuid4().hex", False),
        ("secrets.token_hex()", False),
        ("random.SystemRandom().random()", False),
        ("float(__import__('numpy').random.default_rng().random())", False),
    ],
)
async def test_randomness_that_no_seed_repeats_is_told(run: Run, expression: str, replayable: bool) -> None:
    source = f"import os, random, secrets, uuid\ndef run():\n    return {expression}"

    first, second = (await run(source), await run(source))

    assert first.replayable is replayable
    assert (first.value == second.value) is replayable


async def test_clock_stands_still_when_it_is_frozen(run: Run) -> None:
    source = """
import datetime, time
from datetime import timezone

def run(inputs):
    now = datetime.datetime.now(timezone.utc)
    assert type(now) is datetime.datetime and isinstance(datetime.datetime.today(), datetime.date)
    return [
        time.time(), time.time_ns(), now.isoformat(), datetime.datetime.utcnow().isoformat(),
        datetime.date.today().isoformat(), time.strftime("%Y-%m-%d", time.gmtime()), datetime.datetime.now().year,
    ]
"""
    frozen = (await run(source, frozen_clock=True)).value
    running = (await run(source)).value

    assert frozen == [
        1767225600.0,
        1767225600 * 10**9,
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01",
        2026,
    ]
    assert isinstance(running, list)
    assert running[0] != frozen[0]
