"""SIGKILL, as the kernel would send it for memory.

expect: failed
"""

import os
import signal


def run(inputs):
    os.kill(os.getpid(), signal.SIGKILL)
