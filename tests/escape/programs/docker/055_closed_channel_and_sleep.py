"""The channel closed, and then time passes.

expect: failed, timed_out
"""

import os
import time


def run(inputs):
    os.close(3)
    time.sleep(600)
