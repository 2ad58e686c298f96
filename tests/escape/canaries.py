"""Canaries outside of every run: a file, two listeners, a process. A hostile program that reaches one shows."""

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.types import Result
from tests.escape.sandboxes import SHARED_UID

ENVIRONMENT_NAME = "GLOVEBOX_TEST_CANARY"
_CONTROL_S_MAX = 20
_PLAIN_PYTHON = """
import json, sys
told = json.load(sys.stdin)
names = {"__name__": "__main__"}
exec(compile(told["source"], "agent.py", "exec"), names)
print("answer " + json.dumps(names["run"](told["inputs"])["got"], default=repr))
"""


@dataclass(frozen=True)
class Canaries:
    """What is planted; `inputs` tells a program where to look, never what it would find."""

    token: str
    file: Path
    listeners: dict[str, socket.socket]
    victim: subprocess.Popen[bytes]
    inputs: dict[str, Any]

    def touched(self, result: Result) -> list[str]:
        """Which canaries a run reached."""
        ready = select.select(list(self.listeners.values()), [], [], 0)[0]
        touched = [name for name, listener in self.listeners.items() if listener in ready]
        if self.token in repr(result):
            touched.append("token")
        if not self.file.is_file() or self.file.read_text() != self.token or self.file.stat().st_mode & 0o777 != 0o644:
            touched.append("file")
        if list(self.file.parent.iterdir()) != [self.file]:
            touched.append("directory")
        if self.victim.poll() is not None:
            touched.append("process")
        return touched


@contextmanager
def planted() -> Iterator[Canaries]:
    """Canaries for one test. The process runs under the sandbox's own uid, so that no permission protects it."""
    token = secrets.token_hex(16)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        directory.chmod(0o755)
        file = directory / "canary"
        file.write_text(token)
        file.chmod(0o644)
        abstract = f"glovebox-{secrets.token_hex(8)}"
        listeners = {
            "tcp": stack.enter_context(_listen(socket.AF_INET, ("127.0.0.1", 0))),
            "unix": stack.enter_context(_listen(socket.AF_UNIX, f"\0{abstract}")),
        }
        victim = stack.enter_context(_victim(token))
        inputs = {
            "file": str(file),
            "port": listeners["tcp"].getsockname()[1],
            "abstract": abstract,
            "victim": victim.pid,
            "server": os.getpid(),
            "name": ENVIRONMENT_NAME[::-1],
            "mirrored": token[::-1],
        }
        yield Canaries(token, file, listeners, victim, inputs)


def run_without_wall(source: str, inputs: dict[str, Any]) -> Any:
    """What the program gets as a plain, throw-away process of this machine; None when it got nothing."""
    finished = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", _PLAIN_PYTHON],
        input=json.dumps({"source": source, "inputs": inputs}),
        capture_output=True,
        text=True,
        timeout=_CONTROL_S_MAX,
        check=False,
    )
    answers = [line for line in finished.stdout.splitlines() if line.startswith("answer ")]
    return json.loads(answers[-1].removeprefix("answer ")) if answers else None


@contextmanager
def _listen(family: int, address: Any) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        yield listener


@contextmanager
def _victim(token: str) -> Iterator[subprocess.Popen[bytes]]:
    owner: dict[str, Any] = {"user": SHARED_UID, "group": SHARED_UID, "extra_groups": []} if os.getuid() == 0 else {}
    process = subprocess.Popen(["/bin/sleep", "120"], env={ENVIRONMENT_NAME: token}, cwd="/", **owner)
    try:
        yield process
    finally:
        process.kill()
        process.wait(5)
