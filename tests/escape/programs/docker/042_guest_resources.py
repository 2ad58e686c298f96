"""Resource limits, priority, scheduling and affinity of the guest.

expect: succeeded
"""

import ctypes
import os
import resource


def attempt(what):
    try:
        return what() is None
    except OSError:
        return False


def run(inputs):
    done = [
        attempt(lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)) and None),
        attempt(lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)) and None),
        attempt(lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)),
        attempt(lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19)),
        attempt(lambda: os.setpriority(os.PRIO_PGRP, 1, 19)),
        attempt(lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))),
        attempt(lambda: os.sched_setaffinity(1, {0})),
    ]
    libc = ctypes.CDLL(None, use_errno=True)
    done.append(libc.syscall(251, 1, 1, 3 << 13) == 0)
    assert not any(done), done
