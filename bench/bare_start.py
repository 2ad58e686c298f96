"""The yardstick: starting this interpreter for nothing."""

import os
import sys
import time
from collections.abc import Sequence


def bare_start() -> float:
    """Seconds that `posix_spawn` of this interpreter with `-I -c pass` takes until it has ended."""
    started = time.perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-c", "pass"], {})
    status = os.waitpid(pid, 0)[1]
    if status:
        raise RuntimeError(f"the interpreter ended with status {status}")
    return time.perf_counter() - started


class Yardstick:
    """The bare starts of one run of the measurements.

    Attributes:
        starts_s: all of them so far, in s.
    """

    def __init__(self) -> None:
        self.starts_s: list[float] = []
        self._taken = 0

    def measure(self) -> None:
        """One more."""
        self.starts_s.append(bare_start())

    def take(self) -> Sequence[float]:
        """Those since this was last asked: they belong to the row that has just been measured."""
        taken, self._taken = self._taken, len(self.starts_s)
        return self.starts_s[taken:]
