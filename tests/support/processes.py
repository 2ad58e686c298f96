"""What /proc tells of processes, each of which may end while it is read."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

GONE = (FileNotFoundError, ProcessLookupError)
_POLL_S = 0.01


def children_of(pid: int, *, zombies: bool = False) -> list[int]:
    """The live children; with those that ended and that nobody asked about, if wanted. Empty when it is gone."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except GONE:
        return []
    listed = [int(child) for task in tasks for child in _read(task / "children").split()]
    ended = ("X",) if zombies else ("X", "Z")
    return [child for child in listed if (stat := stat_of(child)) and stat[0] not in ended]


def descendants_of(pid: int, *, zombies: bool = False) -> list[int]:
    """Every live process below this one; with zombies, if wanted."""
    below = children_of(pid, zombies=zombies)
    return below + [further for child in below for further in descendants_of(child, zombies=zombies)]


def stat_of(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third, its state, on; none when it is gone."""
    return _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()


def command_of(pid: int) -> list[str]:
    """The words of a process's command line; none when it is gone or a zombie."""
    line = _read(Path(f"/proc/{pid}/cmdline")).rstrip("\0")
    return line.split("\0") if line else []


def zygote_pid(language: str, uid: int) -> int:
    """The process that forks the children of the one open sandbox of that language and uid."""
    launchers = [pid for pid in children_of(os.getpid()) if command_of(pid)[-2:] == [str(uid), language]]
    (launcher,) = launchers
    (zygote,) = children_of(launcher)
    return zygote


def busiest_child_of(pid: int) -> int:
    """The child that used most CPU time."""
    return max(children_of(pid), key=cpu_s)


def cpu_s(pid: int) -> float:
    """CPU time that a process used; 0 when it is gone."""
    used = _read(Path(f"/proc/{pid}/schedstat")).split()
    return int(used[0]) / 1e9 if used else 0


def resident_bytes() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def count_descriptors() -> int:
    """Open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def settle(condition: Callable[[], bool], within_s: float) -> None:
    """Wait until the condition holds. Raises TimeoutError. The kernel offers no event to wait for."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - nothing could set an event
            await asyncio.sleep(_POLL_S)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except GONE:
        return ""
