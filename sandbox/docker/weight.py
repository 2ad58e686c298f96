"""How a container stands against everything else when processors are short: as it was made, or behind all others.

A group that is idle, in the kernel's words, gives way in the very moment that anybody else wakes up; with a small
weight alone it would first finish its slice of some milliseconds.

Sources: Documentation/admin-guide/cgroup-v2.rst (`cpu.idle`, `cpu.weight`), Linux 6.18; cgroups(7); commit 304000390f88
"sched: Cgroup SCHED_IDLE support", Linux 5.15, which has `cpu.idle` for version 1 too.
"""

import os
from contextlib import suppress
from pathlib import Path

_LOWEST = {"cpu.shares": "2", "cpu.weight": "1"}


class Weight:
    """The weight of one container. What cannot be written is left as it is.

    Args:
        place: the container's control group, of the cpu controller.
    """

    def __init__(self, place: Path) -> None:
        self._idle = place / "cpu.idle"
        self._share = place / "cpu.shares"
        if not self._share.exists():
            self._share = place / "cpu.weight"
        self._usual: str | None = None

    def lower(self) -> None:
        """Put it behind all others. Idempotent."""
        if self._usual is not None:
            return
        with suppress(OSError):  # the container is gone, or this process may not
            self._usual = self._share.read_text()
            if self._idle.exists():
                self._idle.write_text("1")
            else:
                self._share.write_text(_LOWEST[self._share.name])

    def restore(self) -> None:
        """Take `lower` back. Idempotent."""
        if self._usual is None:
            return
        usual, self._usual = self._usual, None
        with suppress(OSError):
            if self._idle.exists():
                self._idle.write_text("0")
            self._share.write_text(usual)  # the kernel forgot it when the group became idle


def may_lower(root: Path = Path("/sys/fs/cgroup")) -> bool:
    """Whether this process may weigh containers, as far as that shows without one; groups are mounted at `root`."""
    controller = root / "cpu" if (root / "cpu").is_dir() else root
    return os.access(controller / "cgroup.procs", os.W_OK)
