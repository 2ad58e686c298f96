"""ptrace of the guest and of another process.

expect: succeeded
"""

import ctypes
import os
import time


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    other = os.fork()
    if other == 0:
        time.sleep(600)
    got = [pid for pid in (1, other) if libc.ptrace(16, pid, 0, 0) == 0 or libc.syscall(101, 0x4206, pid, 0, 0) == 0]
    assert not got, got
