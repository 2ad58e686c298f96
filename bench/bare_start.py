"""The yardstick: starting this interpreter for nothing."""

import os
import sys
import time


def bare_start() -> float:
    """Seconds that `posix_spawn` of this interpreter with `-I -c pass` takes until it has ended."""
    started = time.perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-c", "pass"], {})
    status = os.waitpid(pid, 0)[1]
    if status:
        raise RuntimeError(f"the interpreter ended with status {status}")
    return time.perf_counter() - started
