"""Processes that open a data directory, and a look at what they left running."""

import atexit
import contextlib
import functools
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import psycopg
import pytest

import agents_store

OPENER = Path(__file__).with_name("opener.py")
REPOSITORY = Path(agents_store.__file__).parent.parent
PACKAGES = Path(psycopg.__file__).parent.parent
END_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Opener:
    """A process that opens a data directory, in a session of its own."""

    process: subprocess.Popen[str]

    def answer(self) -> dict[str, Any]:
        """What it said once the database was open, or could not be opened."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the opener died"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Let it close the database and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(END_TIMEOUT_S) == 0

    def end(self) -> None:
        """Wait for its end, whatever its status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(END_TIMEOUT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(END_TIMEOUT_S)


Spawn = Callable[..., Opener]


class Identity(TypedDict, total=False):
    """What `subprocess` takes to start a child as another user."""

    user: int
    group: int
    extra_groups: list[int]


def identity(user: str | None) -> Identity:
    """How to start a child as a user; None is the own one."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def open_parent() -> Iterator[Path]:
    """A new directory that every user may enter; pytest's own are closed to the service's account."""
    directory = Path(tempfile.mkdtemp(prefix="glovebox-")).resolve()
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        for pid_file in directory.rglob("postmaster.pid"):
            end_postmaster(pid_file.parent.parent)
        shutil.rmtree(directory)


@contextlib.contextmanager
def openers() -> Iterator[Spawn]:
    """Start openers, and end them in the end.

    Of `spawn`, `user` is a user's name, `site_first` a directory whose packages win over the installed ones.
    """
    started: list[subprocess.Popen[str]] = []

    def spawn(
        data_dir: Path, *, user: str | None = None, site_first: Path | None = None, pass_fds: tuple[int, ...] = ()
    ) -> Opener:
        repository, packages, opener = code_for(user)
        paths = [*([str(site_first)] if site_first else []), str(repository), str(packages)]
        process = subprocess.Popen(
            [str(interpreter_for(user)), "-W", "error", str(opener), str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
            pass_fds=pass_fds,
            **identity(user),
        )
        started.append(process)
        return Opener(process)

    try:
        yield spawn
    finally:
        for process in started:
            process.kill()
            process.wait(END_TIMEOUT_S)
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    stream.close()  # type: ignore[union-attr]  # both are pipes


def unavailable(what: str) -> None:
    """Skip where somebody develops, fail where the build decides."""
    if "CI" in os.environ:  # noqa: TID251 - how every build service says that it is one
        pytest.fail(what)
    pytest.skip(what)


def open_to_all(path: Path) -> bool:
    """Whether every user may get to a path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def code_for(user: str | None) -> tuple[Path, Path, Path]:
    """Our code, the installed packages and the opener, as copies where the checkout is closed to the user."""
    if user is None or (open_to_all(REPOSITORY / "agents_store") and open_to_all(PACKAGES / "psycopg")):
        return REPOSITORY, PACKAGES, OPENER
    return code_copies()


@functools.cache
def code_copies() -> tuple[Path, Path, Path]:
    """The same where every user can reach it, until this process ends."""
    directory = Path(tempfile.mkdtemp(prefix="glovebox-code-"))
    directory.chmod(0o755)
    atexit.register(shutil.rmtree, directory)
    shutil.copytree(REPOSITORY / "agents_store", directory / "repository/agents_store")
    shutil.copytree(PACKAGES, directory / "packages", symlinks=True)
    shutil.copy(OPENER, directory)
    return directory / "repository", directory / "packages", directory / OPENER.name


def interpreter_for(user: str | None) -> Path:
    """The running interpreter, or the system's of the same version where the user cannot reach that one."""
    own = Path(sys.executable)
    if user is None or open_to_all(own):
        return own
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = shutil.which(version, path="/usr/local/bin:/usr/bin")
    if found is None:
        unavailable(f"{own} is closed to {user}, and there is no other {version}")
    return Path(str(found))


def postmaster_pid(data_dir: Path) -> int | None:
    """The live postmaster of a data directory, found without its own records."""
    wanted = os.fsencode(data_dir / "postgres")
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().split(b"\0")[1:3] == [b"-D", wanted]:
                return int(path.parent.name)
    return None


def end_postmaster(data_dir: Path) -> None:
    """Kill what a test left running."""
    pid = postmaster_pid(data_dir)
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: postmaster_pid(data_dir) is None)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what must come true, at most 30 s."""
    deadline = time.monotonic() + END_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)
