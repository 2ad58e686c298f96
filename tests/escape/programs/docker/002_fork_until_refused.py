"""Processes that only sleep, until no more can be had.

expect: too_many_processes
"""

import os
import time


def run(inputs):
    while True:
        if os.fork() == 0:
            time.sleep(600)
