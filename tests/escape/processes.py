"""What /proc tells of this process and of the sandboxes that it started."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

_POLL_S = 0.01


def children_of(pid: int) -> list[int]:
    """The live children, zombies left out."""
    listed = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for line in listed for child in line.split() if _is_live(int(child))]


def descendants_of(pid: int) -> list[int]:
    """Every live process below this one."""
    below = children_of(pid)
    return below + [further for child in below for further in descendants_of(child)]


def zygote_pid(language: str, uid: int) -> int:
    """The process that forks the children of the one open sandbox of that language and uid."""
    launchers = [pid for pid in children_of(os.getpid()) if _words(pid)[-2:] == [str(uid), language]]
    (launcher,) = launchers
    (zygote,) = children_of(launcher)
    return zygote


def busiest_child_of(pid: int) -> int:
    """The child that used most CPU time."""
    return max(children_of(pid), key=cpu_s)


def cpu_s(pid: int) -> float:
    """CPU time that a process used; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0


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
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)


def _is_live(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
