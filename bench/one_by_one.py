"""Other ways to run the program, call by call, with bare starts in between."""

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.bare_start import Yardstick
from bench.samples import Row, summarise
from bench.tiers import HELLO

PROGRAM = f'{HELLO}\nimport json\nprint(json.dumps(run({{"name": "World"}})))\n'
ANSWER = '{"hello": "World"}'
CALL_S_MAX = 120
INSTALL_S_MAX = 300
WARM_UP = 3

Call = Callable[[], tuple[float, str]]


def measure_calls(key: str, name: str, call: Call, count: int, yardstick: Yardstick) -> Row:
    """The row of so many calls after a few for warming up; a call gives its seconds and the answer."""
    durations, failed = [], 0
    for index in range(WARM_UP + count):
        elapsed, answer = call()
        if index >= WARM_UP:
            durations.append(elapsed)
            failed += answer.strip() != ANSWER
            yardstick.measure()
    return summarise(f"peers/{key}", name, durations, starts_s=yardstick.take(), failed=failed)


def timed(command: Sequence[str], given: str = "") -> tuple[float, str]:
    """How long a command took and what it printed. Raises subprocess.SubprocessError."""
    started = time.perf_counter()
    answer = output_of(command, given)
    return time.perf_counter() - started, answer


def output_of(command: Sequence[str], given: str = "") -> str:
    """What a command printed. Raises subprocess.SubprocessError."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=CALL_S_MAX, check=True)
    return done.stdout.strip()


@contextmanager
def session(requirement: str, home: Path, script: str, *arguments: str) -> Iterator[tuple[str, Call]]:
    """A package's version and a way to call it, in a process and an environment of its own that are thrown away.

    Args:
        requirement: what to install.
        home: where; must not exist.
        script: prints the version as JSON, then for each line that it reads the seconds and the answer of one call.
        arguments: the script's.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be installed.
    """
    venv.create(home, with_pip=True)
    install = [str(home / "bin/pip"), "install", "-qq", "--disable-pip-version-check", requirement]
    subprocess.run(install, timeout=INSTALL_S_MAX, check=True, stdout=sys.stderr)
    command = [str(home / "bin/python"), "-c", script, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101 - as above
        to_session, from_session = process.stdin, process.stdout

        def call() -> tuple[float, str]:
            to_session.write("\n")
            to_session.flush()
            if not (told := from_session.readline()):
                raise subprocess.SubprocessError(f"the session of {requirement} ended")
            elapsed, answer = json.loads(told)
            return float(elapsed), str(answer)

        try:
            yield str(json.loads(from_session.readline() or '"that does not start"')), call
            to_session.close()
            process.wait(CALL_S_MAX)
        finally:
            process.kill()
