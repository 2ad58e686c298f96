"""Threads until no more can be had.

expect: too_many_processes
"""

import threading
import time


def run(inputs):
    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
