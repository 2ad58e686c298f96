"""Commands as processes of their own, and a server that is one too."""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "server.cli.main")
START_S_MAX = 90.0
COMMAND_S_MAX = 60.0


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    out: str
    err: str

    @property
    def object(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs commands as one user would, in a directory of their own and with nothing else in the environment."""

    home: Path
    variables: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "HOME": str(self.home), "PYTHONPATH": str(ROOT), **self.variables}

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Outcome:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=self.environment,
            timeout=COMMAND_S_MAX,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=self.environment,
        )

    def with_(self, **variables: str) -> "Shell":
        return Shell(self.home, {**self.variables, **variables})


@contextmanager
def serving(shell: Shell, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    # Its log goes nowhere: a pipe that nobody reads would fill and stop the server.
    process = shell.start("serve", "--port", "0", "--data-dir", data_dir, stdout=subprocess.DEVNULL)
    try:
        yield process, await_url(process)
    finally:
        process.terminate()
        process.communicate(timeout=COMMAND_S_MAX)


def await_url(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    deadline = time.monotonic() + START_S_MAX
    seen = ""
    while time.monotonic() < deadline:
        if not select.select([process.stderr], [], [], 1)[0]:
            continue
        seen += os.read(process.stderr.fileno(), 4096).decode()
        if found := re.search(r"listens on (\S+)\n", seen):
            return found[1]
        assert process.poll() is None, seen
    raise AssertionError(f"the server did not say where it listens: {seen}")
