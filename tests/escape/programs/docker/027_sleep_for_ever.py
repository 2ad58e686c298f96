"""Nothing at all.

expect: timed_out
"""

import time


def run(inputs):
    time.sleep(1_000_000)
