"""What the kernel says of a worker's use during one session."""

import time
from contextlib import suppress


class Meter:
    """The use of one worker, which serves one session after the other.

    Sources: clock_getcpuclockid(3), proc_pid_clear_refs(5), proc_pid_status(5).
    """

    def __init__(self, pid: int) -> None:
        self._status = f"/proc/{pid}/status"
        self._clock = (~pid << 3) | 2
        with suppress(OSError), open(f"/proc/{pid}/clear_refs", "wb", buffering=0) as peak:  # noqa: PTH123 - hot path
            peak.write(b"5")  # it starts anew
        self._resident_bytes = self._read(b"VmRSS:")
        self._cpu_ns = self._cpu() or 0
        self._latest = (0, 0)

    def read(self) -> tuple[int, int]:
        """CPU time in ms and peak memory in bytes since it was made; the last known ones when the worker is gone."""
        cpu_ns = self._cpu()
        if cpu_ns is not None:
            peak_bytes = max(0, self._read(b"VmHWM:") - self._resident_bytes)
            self._latest = (max(0, cpu_ns - self._cpu_ns) // 1_000_000, max(self._latest[1], peak_bytes))
        return self._latest

    def _cpu(self) -> int | None:
        with suppress(OSError):
            return time.clock_gettime_ns(self._clock)
        return None

    def _read(self, name: bytes) -> int:
        with suppress(OSError), open(self._status, "rb", buffering=0) as status:  # noqa: PTH123 - hot path
            text = status.read(4096)
            start = text.find(name)
            if start >= 0:
                return int(text[start + len(name) : text.index(b"kB", start)]) * 1024
        return 0
