"""Descriptors until no more can be had.

expect: failed
"""

import os


def run(inputs):
    held = []
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
