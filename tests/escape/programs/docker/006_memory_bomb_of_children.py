"""No process takes much, together they take all.

expect: out_of_memory, failed
"""

import os
import time


def run(inputs):
    for _ in range(8):
        if os.fork() == 0:
            held = bytearray(b"x" * 60_000_000)
            time.sleep(600)
            os._exit(len(held) & 1)
    time.sleep(600)
