"""A process that stops instead of ending.

expect: timed_out
"""

import os
import signal


def run(inputs):
    os.kill(os.getpid(), signal.SIGSTOP)
    return "continued"
