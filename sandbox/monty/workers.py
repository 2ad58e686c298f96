"""The worker processes of the tier: each is started by a launcher that builds the kernel wall around it first.

The library starts a program and gives it one argument; a small script in memory puts the launcher before it. A worker
serves one run after the other, each in a session of its own, and is replaced when it dies.
"""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic_monty import Monty

from sandbox.errors import TierUnavailableError
from sandbox.guest.worker import MINIMUM, NAMESPACES
from sandbox.restricted.idle_group import IdleGroup
from sandbox.restricted.memory_cgroup import MemoryCgroup
from sandbox.types import Tier, Wall, WallKind

START_S_MAX = 20.0
# A worker keeps what its allocator got; a new one now and then gives it back.
_SESSIONS_PER_WORKER_MAX = 1_000
_PACKAGES = Path(__file__).parents[2]
_RUN_LAUNCHER = (
    f"import runpy, sys; sys.path.insert(0, {str(_PACKAGES)!r}); "
    "runpy.run_module('sandbox.guest.worker', run_name='__main__', alter_sys=True)"
)


class Workers:
    """Workers ready for sessions, and the threads that speak with them.

    Args:
        uid: what workers run as when this process is root.
        ready: workers kept started.
        live_max: workers at once.
        memory_bytes_max: the most that a worker may have; a run's own limit is the interpreter's to keep.
    """

    def __init__(self, *, uid: int, ready: int, live_max: int, memory_bytes_max: int) -> None:
        self._uid = uid
        self._ready = min(ready, live_max)
        self._live_max = live_max
        self._memory_bytes_max = memory_bytes_max
        self._cgroup: MemoryCgroup | None = None
        self.idle_group: IdleGroup | None = None
        self._script = -1
        self._pool: Monty | None = None
        self._wall: Wall | None = None
        self._kills = 0
        self.threads: ThreadPoolExecutor | None = None

    @property
    def wall(self) -> Wall:
        """What workers stand behind. Raises TierUnavailableError before `open`."""
        if self._wall is None:
            raise TierUnavailableError(Tier.MONTY, ("it is not open",))
        return self._wall

    @property
    def pool(self) -> Monty:
        """The library's pool. Raises TierUnavailableError before `open`."""
        if self._pool is None:
            raise TierUnavailableError(Tier.MONTY, ("it is not open",))
        return self._pool

    async def open(self) -> None:
        """Prove the wall, then start the first workers. Raises TierUnavailableError."""
        self.threads = ThreadPoolExecutor(self._live_max, thread_name_prefix="monty")
        try:
            await asyncio.get_running_loop().run_in_executor(self.threads, self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every worker. Idempotent. Whoever runs something must have ended it before."""
        threads, self.threads = self.threads, None
        if threads is None:
            return
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.get_running_loop().run_in_executor(threads, pool.__exit__, None, None, None)
        threads.shutdown(wait=False)
        if self._script >= 0:
            os.close(self._script)
            self._script = -1
        for group in (self._cgroup, self.idle_group):
            if group is not None:
                await asyncio.to_thread(group.remove)
        self._cgroup = self.idle_group = None
        self._wall = None

    def kernel_killed(self) -> bool:
        """Whether the kernel ended a worker for memory since this was last asked."""
        groups = [group for group in (self._cgroup, self.idle_group) if group is not None]
        seen, self._kills = self._kills, sum(group.kills() for group in groups)
        return self._kills > seen

    def _open(self) -> None:
        binary = _find_binary()
        self._cgroup = MemoryCgroup.create(f"monty-{id(self):x}-{os.getpid()}")
        self.idle_group = IdleGroup.create(f"monty-{id(self):x}-{os.getpid()}", self._cgroup)
        command = self._launcher(binary)
        self._wall = _probe(command)
        self._script = _executable_in_memory(f'#!/bin/sh\nexec {shlex.join([*command, binary])} "$@"\n')
        pool = Monty(
            binary_path=f"/proc/{os.getpid()}/fd/{self._script}",
            min_processes=self._ready,
            max_processes=self._live_max,
            max_checkouts_per_worker=_SESSIONS_PER_WORKER_MAX,
        )
        pool.__enter__()
        self._pool = pool
        try:
            with pool.checkout() as session:
                session.feed_run("None")
        except Exception as error:  # whatever the library says: it does not work here
            raise TierUnavailableError(Tier.MONTY, (f"its first worker does not start: {error}",)) from error

    def _launcher(self, binary: str) -> list[str]:
        executables, files = files_of(binary)
        procs = "" if self._cgroup is None else str(self._cgroup.path / "cgroup.procs")
        arguments = [str(self._uid), str(self._memory_bytes_max), procs, json.dumps(executables), json.dumps(files)]
        return [sys.executable, "-IBS", "-c", _RUN_LAUNCHER, *arguments]


def _find_binary() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "monty"
    found = str(beside) if beside.is_file() else shutil.which("monty")
    if found is None:
        raise TierUnavailableError(Tier.MONTY, ("the program `monty` is not installed",))
    return os.path.realpath(found)


def files_of(binary: str) -> tuple[list[str], list[str]]:
    """What the loader executes, and what it only reads, to start a program. Source: ld.so(8)."""
    asked = subprocess.run(  # noqa: S603 - the loader lists, the program does not run
        [binary], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, timeout=START_S_MAX, check=False
    )
    executables, files = [binary], ["/etc/ld.so.cache"]
    for line in asked.stdout.splitlines():
        words = line.split()
        if "=>" in words:
            files.append(words[words.index("=>") + 1])
        elif words and words[0].startswith("/"):
            executables.append(words[0])
    return executables, [file for file in files if Path(file).exists()]


def _probe(command: list[str]) -> Wall:
    try:
        probed = subprocess.run(  # noqa: S603 - our own launcher
            command, env={}, cwd="/", capture_output=True, text=True, timeout=START_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TierUnavailableError(Tier.MONTY, ("the launcher of its workers does not start",)) from error
    if probed.returncode:
        reason = probed.stderr.strip().splitlines()[-1:] or ["the launcher of its workers died"]
        raise TierUnavailableError(Tier.MONTY, (reason[0],))
    missing: list[Any] = json.loads(probed.stdout)
    standing = [name for name in NAMESPACES if not any(str(piece).startswith(name) for piece in missing)]
    pieces = ("no operating system in the interpreter", *MINIMUM, *standing)
    return Wall(WallKind.MINIMUM if missing else WallKind.FULL, tuple(map(str, missing)), pieces)


def _executable_in_memory(script: str) -> int:
    """A descriptor of an executable file that lies on no disk: where it would, execution may be forbidden."""
    writable = os.memfd_create("glovebox-monty")
    try:
        os.write(writable, script.encode())
        # A file that is open for writing cannot be executed.
        return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writable)
