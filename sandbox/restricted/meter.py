"""What the kernel says of a child.

Sources: proc_pid_schedstat (Documentation/scheduler/sched-stats.rst), proc_pid_status(5).
"""

import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.restricted.idle_group import IdleGroup, lower, restore
from sandbox.types import Limits

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_ADDRESS_SLACK_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """A child's use since its start: CPU time in ns, sizes in bytes."""

    cpu_ns: int
    memory_bytes: int
    peak_bytes: int


class Meter:
    """Reads one child's use from /proc, against the baseline taken when it stood ready.

    Args:
        pid: the child's number here.
        pidfd: the child's, open for as long as it may be lowered.
        idle_group: where it is lowered to, None where there is no such group.
    """

    def __init__(self, pid: int, pidfd: int, idle_group: IdleGroup | None) -> None:
        self._pid, self._pidfd, self._idle_group = pid, pidfd, idle_group
        self._lowered = False
        self._proc = f"/proc/{pid}"
        sizes = _read_sizes(self._proc)
        self._data_bytes, self._address_bytes = sizes["VmData"], sizes["VmSize"]
        self._resident_bytes = sizes["VmRSS"]
        self._cpu_ns = _read_cpu_ns(self._proc)
        self._latest = Reading(0, 0, 0)

    def read(self) -> Reading:
        """The use since the baseline; the last known one when the process is gone."""
        with suppress(OSError, KeyError):  # a process that is ending has no sizes any more
            sizes = _read_sizes(self._proc)
            self._latest = Reading(
                _read_cpu_ns(self._proc) - self._cpu_ns,
                max(0, sizes["VmRSS"] - self._resident_bytes),
                max(0, sizes["VmHWM"] - self._resident_bytes),
            )
        return self._latest

    @property
    def latest(self) -> Reading:
        """What was read last."""
        return self._latest

    def lower(self) -> None:
        """See `sandbox.watch.Meter`."""
        if not self._lowered:
            self._lowered = True
            lower(self._pid, self._pidfd, self._idle_group)

    def restore(self) -> None:
        """See `sandbox.watch.Meter`."""
        if self._lowered:
            self._lowered = False
            restore(self._pid, self._pidfd, self._idle_group)

    def rlimits(self, limits: Limits) -> dict[int, int]:
        """What the child sets for itself before the program starts: the kernel's caps beneath the watch.

        The host cannot set them: prlimit(2) on another user's process needs CAP_SYS_RESOURCE, which containers lack.
        """
        return {
            resource.RLIMIT_DATA: self._data_bytes + limits.memory_bytes_max,
            resource.RLIMIT_AS: self._address_bytes + limits.memory_bytes_max + _ADDRESS_SLACK_BYTES,
            resource.RLIMIT_CPU: limits.cpu_ms_max // 1000 + 2,
        }


def _read_cpu_ns(proc: str) -> int:
    try:
        return int(_read_text(f"{proc}/schedstat").split()[0])
    except FileNotFoundError:  # a kernel without CONFIG_SCHED_INFO counts in ticks
        fields = _read_text(f"{proc}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_NS


def _read_sizes(proc: str) -> dict[str, int]:
    """The sizes in `status`, in bytes by name."""
    lines = _read_text(f"{proc}/status").splitlines()
    pairs = (line.split(":", 1) for line in lines if line.startswith("Vm"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _read_text(path: str) -> str:
    return Path(path).read_text(encoding="ascii", errors="replace")
