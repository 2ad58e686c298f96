"""Memory that belongs to no process: memfd.

expect: out_of_memory, failed
"""

import os


def run(inputs):
    fd = os.memfd_create("hoard")
    while True:
        os.write(fd, b"x" * 1_000_000)
