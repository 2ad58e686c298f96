"""`glovebox serve` for a program under libfaketime, past two calls that its release 0.9.10 gets wrong.

An absolute clock_nanosleep(2), which time.sleep is, fails; and the clocks of other processes' CPU time are moved too.
"""

import ctypes
import os
import sys
import threading
import time
from typing import SupportsIndex

from server.cli.main import main

_SYS_CLOCK_GETTIME = {"x86_64": 228, "aarch64": 113}[os.uname().machine]
_syscall = ctypes.CDLL(None).syscall


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def sleep(seconds: float | SupportsIndex) -> None:
    threading.Event().wait(float(seconds))


def clock_gettime_ns(clock: int) -> int:
    """The kernel's own answer: nothing stands between."""
    found = _Timespec()
    if _syscall(_SYS_CLOCK_GETTIME, ctypes.c_int(clock), ctypes.byref(found)):
        raise OSError(f"no clock {clock}")
    return int(found.seconds) * 1_000_000_000 + int(found.nanoseconds)


if __name__ == "__main__":
    time.sleep, time.clock_gettime_ns = sleep, clock_gettime_ns
    sys.argv[:] = ["glovebox", "serve", "--port", "0"]
    main()
