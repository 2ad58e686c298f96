"""Pipes full of data.

expect: failed, out_of_memory
"""

import fcntl
import os


def run(inputs):
    held = []
    while True:
        reading, writing = os.pipe()
        fcntl.fcntl(writing, 1031, 1 << 20)
        os.set_blocking(writing, False)
        held.append((reading, writing, os.write(writing, b"x" * (1 << 20))))
