"""Every signal to the first process of the container.

expect: succeeded
"""

import os
import signal


def run(inputs):
    for number in range(1, 65):
        try:
            os.kill(1, number)
        except OSError:
            pass
    return open("/proc/1/stat").read().split()[2] in ("S", "R")
