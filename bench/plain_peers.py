"""What there is without a sandbox: a fresh interpreter, smolagents' local executor, a route that does nothing."""

import sys
import time
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

from bench.bare_route import running_route
from bench.bare_start import Yardstick
from bench.http_calls import CONNECTIONS, WARM_UP_S
from bench.load import Job, run_load
from bench.one_by_one import PROGRAM, measure_calls, session, timed
from bench.samples import Row, summarise
from bench.tiers import HELLO, STARTS_EVERY, WARM_UP
from bench.wire import Connection, build_request

FRESH = f"{HELLO}\nimport json, sys\nprint(json.dumps(run(json.load(sys.stdin))))\n"
INPUTS = '{"name": "World"}'
SESSION = """
import json, sys, time
from importlib.metadata import version
from smolagents.local_python_executor import LocalPythonExecutor
print(json.dumps(version("smolagents")), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    executor = LocalPythonExecutor(["json"])
    executor.send_tools({})
    done = executor(sys.argv[1])
    print(json.dumps([time.perf_counter() - started, done.logs]), flush=True)
"""
ROUTE = build_request("GET", "/hello?name=World")


def measure_fresh_interpreter(count: int, scratch: Path, yardstick: Yardstick) -> Row:
    """A new interpreter for each call, JSON in and out, and nothing around it."""
    program = scratch / "hello.py"
    program.write_text(FRESH)
    command = [sys.executable, "-I", str(program)]
    return measure_calls("python", "bare Python, python -I file", partial(timed, command, INPUTS), count, yardstick)


def measure_smolagents(count: int, scratch: Path, yardstick: Yardstick) -> Row:
    """A new executor for each call, in a process that stays. Raises OSError, subprocess.SubprocessError."""
    with session("smolagents", scratch / "smolagents", SESSION, PROGRAM) as (version, call):
        return measure_calls("smolagents", f"smolagents {version}, local executor", call, count, yardstick)


def measure_bare_route(count: int, seconds: float, yardstick: Yardstick) -> Iterator[Row]:
    """A route of the same stack that does nothing: one client, then 16 connections."""
    with running_route() as port:
        durations, failed = [], 0
        with Connection("127.0.0.1", port) as connection:
            for index in range(WARM_UP + count):
                started = time.perf_counter()
                status, _ = connection.exchange(ROUTE)
                elapsed = time.perf_counter() - started
                if index < WARM_UP:
                    continue
                durations.append(elapsed)
                failed += status != HTTPStatus.OK
                if index % STARTS_EVERY == 0:
                    yardstick.measure()
        starts = yardstick.take()
        yield summarise("peers/route", "bare FastAPI route", durations, starts_s=starts, failed=failed)
        load = run_load(Job("127.0.0.1", port, [ROUTE.decode()] * CONNECTIONS, WARM_UP_S, seconds))
        yield summarise(
            "peers/route-sustained",
            f"bare FastAPI route, {CONNECTIONS} connections",
            load.durations_s,
            failed=load.failed,
            elapsed_s=load.elapsed_s,
            cpu_s={"load": load.cpu_s},
        )
