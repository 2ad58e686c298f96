"""Where processes go that others shall come before when processors are short: an idle group of the kernel.

A group gives way in the very moment that anything else on the machine wakes up. Where this process may make none, the
process itself becomes idle, which counts only against its neighbours: those of its session, or of its container.

Sources: Documentation/admin-guide/cgroup-v2.rst (`cpu.idle`), Linux 6.18; sched(7), "SCHED_IDLE" and "The autogroup
feature".
"""

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore

from sandbox.restricted.memory_cgroup import MemoryCgroup, remove_abandoned

_V1_ROOT = Path("/sys/fs/cgroup/cpu")
_V2_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "glovebox-idle-"
_PROCS = "cgroup.procs"
# So many may wait to be moved into it; more stay where they are: each holds a descriptor, and most end before that.
_WAITING_MAX = 32


@dataclass(frozen=True, slots=True)
class IdleGroup:
    """One group of ours. Moving a process takes the kernel some 20 to 90 ms, so that a thread does it.

    Attributes:
        path: the group.
        origin: where processes were before, and go back to.
        memory: what bounds their memory in it, where a process has one group for everything (version 2).
    """

    path: Path
    origin: Path
    memory: MemoryCgroup | None = None
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_WAITING_MAX))
    _mover: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="idle-group"))

    @classmethod
    def create(cls, name: str, usual: MemoryCgroup | None) -> "IdleGroup | None":
        """Make a group, None where this process may not, or the kernel is older than Linux 5.15.

        Args:
            name: tells it from others; it ends with the number of the process that lives as long.
            usual: the group that the processes are in, None where it is this process's own.
        """
        if (_V1_ROOT / _PROCS).exists():
            remove_abandoned(_V1_ROOT, _PREFIX)
            made = cls(_V1_ROOT / f"{_PREFIX}{name}", _own_group(_V1_ROOT, "cpu"))
        else:
            memory = MemoryCgroup.create(f"idle-{name}")
            if memory is None:
                return None
            made = cls(memory.path, _own_group(_V2_ROOT, "") if usual is None else usual.path, memory)
        try:
            made.path.mkdir(exist_ok=True)
            with (made.path / "cpu.idle").open("r+") as idle:
                idle.write("1")
        except OSError:
            made.remove()
            return None
        return made

    def take(self, pid: int, pidfd: int) -> "Future[None]":
        """Move a process into it, unless too many wait for that already.

        What is done is seen to the end, whatever becomes of the caller's descriptor.

        Args:
            pid: its number here.
            pidfd: proves that the number is still its.
        """
        if not self._room.acquire(blocking=False):
            return _nothing_to_do()
        moved = self._submit(pid, pidfd, self.path)
        moved.add_done_callback(lambda _: self._room.release())
        return moved

    def give_back(self, pid: int, pidfd: int) -> "Future[None]":
        """Move a process to where it was before, after whatever else was asked for. See `take`."""
        return self._submit(pid, pidfd, self.origin)

    def _submit(self, pid: int, pidfd: int, target: Path) -> "Future[None]":
        try:
            held = os.dup(pidfd)
        except OSError:  # out of descriptors: it stays where it is
            return _nothing_to_do()
        try:
            return self._mover.submit(_move, pid, held, target)
        except RuntimeError:  # the group was removed, and its processes with it
            os.close(held)
            return _nothing_to_do()

    def kills(self) -> int:
        """How many processes the kernel has ended in it for memory, where it bounds memory."""
        return 0 if self.memory is None else self.memory.kills()

    def remove(self) -> None:
        """Remove it, when nothing is moved any more; the kernel refuses while a process is in it."""
        self._mover.shutdown()
        with suppress(OSError):
            self.path.rmdir()


def lower(pid: int, pidfd: int, group: IdleGroup | None) -> None:
    """Let everybody else have the processors before a process. What this process may not do is left undone."""
    with suppress(OSError):
        signal.pidfd_send_signal(pidfd, 0)
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    if group is not None:
        group.take(pid, pidfd)


def restore(pid: int, pidfd: int, group: IdleGroup | None) -> None:
    """Take `lower` back. That needs CAP_SYS_NICE."""
    with suppress(OSError):
        signal.pidfd_send_signal(pidfd, 0)
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    if group is not None:
        group.give_back(pid, pidfd)


def _move(pid: int, pidfd: int, target: Path) -> None:
    try:
        signal.pidfd_send_signal(pidfd, 0)
        (target / _PROCS).write_text(str(pid))
    except OSError:  # it ended, or went where it may not be taken from: it stays as it is
        return
    finally:
        os.close(pidfd)


def _nothing_to_do() -> "Future[None]":
    moved: Future[None] = Future()
    moved.set_result(None)
    return moved


def _own_group(root: Path, controller: str) -> Path:
    """The group that this process is in. Source: cgroups(7), "/proc/[pid]/cgroup"."""
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return root / path.lstrip("/")
    return root
