"""A memory cgroup around all children of one zygote, where the machine lets us make one.

Each run's own ceiling is in the rlimits and the watch, which cost nothing per run; moving every child into a cgroup of
its own costs a quarter of a millisecond. This one keeps the tier as a whole from taking all memory: the kernel then
ends the largest child instead of the database.

Sources: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst, Linux 6.18.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SHARE_OF_MACHINE = 0.6
PREFIX = "glovebox-"
_V1_ROOT = Path("/sys/fs/cgroup/memory")
_V2_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class MemoryCgroup:
    """One cgroup of ours."""

    path: Path
    events: str
    """The file that counts the processes that the kernel ended in it."""

    @classmethod
    def create(cls, name: str) -> "MemoryCgroup | None":
        """Make a cgroup that may use `SHARE_OF_MACHINE` of the memory, None where this process may not."""
        limit = str(int(SHARE_OF_MACHINE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
        if (_V1_ROOT / "cgroup.procs").exists():
            parent, limit_file, events = _V1_ROOT, "memory.limit_in_bytes", "memory.oom_control"
        else:
            parent, limit_file, events = _V2_ROOT, "memory.max", "memory.events"
        remove_abandoned(parent, PREFIX)
        made = cls(parent / f"{PREFIX}{name}", events)
        try:
            made.path.mkdir(exist_ok=True)
            (made.path / limit_file).write_text(limit)
        except OSError:  # read-only, not delegated, or without the memory controller
            made.remove()
            return None
        return made

    def add(self, pid: int) -> None:
        """Move a process into it; what it forks from then on is in it too. Raises OSError."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def kills(self) -> int:
        """How many processes the kernel has ended in it for memory."""
        with suppress(OSError):
            if found := re.search(r"^oom_kill (\d+)$", (self.path / self.events).read_text(), re.MULTILINE):
                return int(found[1])
        return 0

    def remove(self) -> None:
        """Remove it; the kernel refuses while a process is in it."""
        with suppress(OSError):
            self.path.rmdir()


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the groups below `parent` whose servers were killed; the kernel keeps one that is in use."""
    for left in parent.glob(f"{prefix}*"):
        if not _is_owned(left.name):
            with suppress(OSError):
                left.rmdir()


def _is_owned(name: str) -> bool:
    """Whether the process whose number ends the name lives: its cgroup may be empty for a moment."""
    return Path("/proc", name.rpartition("-")[2]).exists()
