"""What the kernel counts for one container, read from its control groups, version 1 or 2.

Sources: Documentation/admin-guide/cgroup-v1/{cpuacct,memory,pids}.rst, cgroup-v2.rst, Linux 6.18.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.weight import Weight

ROOT = Path("/sys/fs/cgroup")
_READ_BYTES = 8192


class NoCgroupError(Exception):
    """The control groups of a container cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A run's use since its beginning: CPU time in ns, sizes in bytes, and how often the kernel refused or ended."""

    cpu_ns: int = 0
    memory_bytes: int = 0
    peak_bytes: int = 0
    memory_kills: int = 0
    refused_forks: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """Files of a container's control groups, by what they count."""

    cpu: Path
    usage: Path
    peak: Path
    stat: Path
    memory_events: Path
    process_events: Path
    weight: "Path | None" = None
    """The directory that says how the container stands against others, None where it is not visible."""


def find_counters(container_id: str, pid: int | None = None, root: Path = ROOT) -> Counters:
    """Where a container is counted.

    Args:
        container_id: the engine's full id of it.
        pid: the host's number of its first process, for engines that keep control groups at an unusual place.
        root: where they are mounted.

    Raises:
        NoCgroupError: they are not visible here.
    """
    if (root / "cgroup.controllers").exists():
        place = _find(container_id, pid, root, "")
        return Counters(
            place / "cpu.stat", place / "memory.current", place / "memory.peak", place / "memory.stat",
            place / "memory.events", place / "pids.events", place,
        )  # fmt: skip
    cpu, memory, pids = (_find(container_id, pid, root / name, name) for name in ("cpuacct", "memory", "pids"))
    weight = None
    with suppress(NoCgroupError):
        weight = _find(container_id, pid, root / "cpu", "cpu")
    return Counters(
        cpu / "cpuacct.usage", memory / "memory.usage_in_bytes", memory / "memory.max_usage_in_bytes",
        memory / "memory.stat", memory / "memory.oom_control", pids / "pids.events", weight,
    )  # fmt: skip


def _find(container_id: str, pid: int | None, mounted: Path, controller: str) -> Path:
    usual = (
        mounted / container_id,
        mounted / "docker" / container_id,
        mounted / "system.slice" / f"docker-{container_id}.scope",
    )
    for place in usual:
        if place.is_dir():
            return place
    if pid is not None:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines():
                _, controllers, path = line.split(":", 2)
                place = mounted / path.lstrip("/")
                if controller in controllers.split(",") and container_id in path and place.is_dir():
                    return place
    raise NoCgroupError(f"no control group of the container is below {mounted}")


class Meter:
    """Reads one container's counters against the baseline that `begin` takes. It holds files: close it."""

    def __init__(self, counters: Counters) -> None:
        self.members = counters.usage.parent / "cgroup.procs"
        """Lists the container's processes."""
        self._fds: list[int] = []
        self._closed = False
        try:
            self._cpu = self._open(counters.cpu)
            self._usage = self._open(counters.usage)
            self._stat = self._open(counters.stat)
            self._memory_events = self._open(counters.memory_events)
            self._process_events = self._open(counters.process_events)
        except OSError as error:
            self.close()
            raise NoCgroupError(str(error)) from error
        self._peak: int | None = None
        with suppress(OSError):  # cgroup2 has it since Linux 5.19
            self._peak = self._open(counters.peak)
        self._resettable = self._reopen_for_reset(counters.peak)
        self._weight = None if counters.weight is None else Weight(counters.weight)
        self._latest = Reading()
        self.begin()

    def begin(self) -> None:
        """Take the baseline: nothing of the run has happened yet."""
        if self._closed:
            return
        with suppress(OSError):  # the container is gone
            if self._resettable and self._peak is not None:
                os.pwrite(self._peak, b"0", 0)
            self._cpu_ns = self._read_cpu_ns()
            self._usage_bytes = self._read_number(self._usage)
            self._anonymous_bytes = self._read_anonymous()
            self._peak_bytes = self._read_peak()
            self._kills = self._read_events(self._memory_events, rb"^oom_kill (\d+)$")
            self._refusals = self._read_events(self._process_events, rb"^max (\d+)$")
            self._latest = Reading()

    def read(self, *, thorough: bool = True) -> Reading:
        """The use since `begin`; the last known one when the container is gone.

        Args:
            thorough: also the memory in use now, which takes the kernel a little longer than the rest.
        """
        if self._closed:
            return self._latest
        with suppress(OSError):
            last = self._latest
            memory = max(0, self._read_anonymous() - self._anonymous_bytes) if thorough else last.memory_bytes
            self._latest = Reading(
                cpu_ns=self._read_cpu_ns() - self._cpu_ns,
                memory_bytes=memory,
                peak_bytes=max(last.peak_bytes, memory, self._peak_since_begin()),
                memory_kills=self._read_events(self._memory_events, rb"^oom_kill (\d+)$") - self._kills,
                refused_forks=self._read_events(self._process_events, rb"^max (\d+)$") - self._refusals,
            )
        return self._latest

    @property
    def latest(self) -> Reading:
        """What was read last."""
        return self._latest

    def lower(self) -> None:
        """See `sandbox.watch.Meter`."""
        if self._weight is not None:
            self._weight.lower()

    def restore(self) -> None:
        """See `sandbox.watch.Meter`."""
        if self._weight is not None:
            self._weight.restore()

    def close(self) -> None:
        """Let go of the files. Idempotent."""
        self._closed = True
        while self._fds:
            os.close(self._fds.pop())

    def _peak_since_begin(self) -> int:
        peak = self._read_peak()
        if self._resettable or peak > self._peak_bytes:
            return max(0, peak - self._usage_bytes)
        return max(0, self._read_number(self._usage) - self._usage_bytes)

    def _open(self, path: Path, flags: int = os.O_RDONLY) -> int:
        fd = os.open(path, flags | os.O_CLOEXEC)
        self._fds.append(fd)
        return fd

    def _reopen_for_reset(self, path: Path) -> bool:
        """Whether the kernel lets us start the peak afresh: version 1 lets root, version 2 since Linux 6.12."""
        try:
            self._peak = self._open(path, os.O_RDWR)
            os.pwrite(self._peak, b"0", 0)
        except OSError:
            return False
        return True

    def _read_cpu_ns(self) -> int:
        text = self._read(self._cpu)
        if text.startswith(b"usage_usec"):
            return int(text.split(None, 2)[1]) * 1000
        return int(text)

    def _read_anonymous(self) -> int:
        found = re.search(rb"^(?:anon|rss) (\d+)$", self._read(self._stat), re.MULTILINE)
        return int(found[1]) if found else 0

    def _read_peak(self) -> int:
        return 0 if self._peak is None else self._read_number(self._peak)

    def _read_events(self, fd: int, pattern: bytes) -> int:
        found = re.search(pattern, self._read(fd), re.MULTILINE)
        return int(found[1]) if found else 0

    def _read_number(self, fd: int) -> int:
        return int(self._read(fd))

    @staticmethod
    def _read(fd: int) -> bytes:
        return os.pread(fd, _READ_BYTES, 0)
