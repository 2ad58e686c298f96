"""Frames of kinds that a program has no business to send.

expect: failed, bad_result
"""

import os
import struct
import time


def run(inputs):
    for kind in (2, 4, 5, 1, 12, 99):
        os.write(3, struct.pack("!BI", kind, 2) + b"[]")
    time.sleep(600)
