"""Work in processes, while the first one sleeps.

expect: timed_out
"""

import os
import time


def run(inputs):
    for _ in range(4):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(600)
