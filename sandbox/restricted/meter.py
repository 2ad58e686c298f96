"""What the kernel says of a child, and the watch that ends a run at its limits.

Sources: proc_pid_schedstat (Documentation/scheduler/sched-stats.rst), proc_pid_status(5).
"""

import asyncio
import os
import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sandbox.types import Limits, Outcome

POLL_S = 0.015
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# Pages of shared libraries touched for the first time count as resident but were not asked for by the program.
_RESIDENT_SLACK_BYTES = 8 * 1024 * 1024
_ADDRESS_SLACK_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """A child's use since its start: CPU time in ns, sizes in bytes."""

    cpu_ns: int
    resident_bytes: int
    peak_bytes: int


class Meter:
    """Reads one child's use from /proc, against the baseline taken when it stood ready."""

    def __init__(self, pid: int) -> None:
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


Condemn: TypeAlias = Callable[[Outcome, str], None]


class Watch:
    """Ends runs that exceed CPU time or memory: one task looks at all live runs every `POLL_S`."""

    def __init__(self) -> None:
        self._watched: dict[Meter, tuple[Limits, Condemn]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, meter: Meter, limits: Limits, condemn: Condemn) -> None:
        """Call `condemn` with the outcome and the limit's name as soon as the meter shows more than the limits."""
        self._watched[meter] = (limits, condemn)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look_until_idle())

    def remove(self, meter: Meter) -> None:
        """Stop watching. Idempotent."""
        self._watched.pop(meter, None)

    async def _look_until_idle(self) -> None:
        while self._watched:
            await asyncio.sleep(POLL_S)
            for meter, (limits, condemn) in list(self._watched.items()):
                reading = meter.read()
                if reading.cpu_ns > limits.cpu_ms_max * 1_000_000:
                    condemn(Outcome.TIMED_OUT, "cpu_ms_max")
                elif reading.resident_bytes > limits.memory_bytes_max + _RESIDENT_SLACK_BYTES:
                    condemn(Outcome.OUT_OF_MEMORY, "memory_bytes_max")
