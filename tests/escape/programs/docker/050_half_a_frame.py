"""The beginning of a frame, and nothing more.

expect: timed_out
"""

import os
import struct
import time


def run(inputs):
    os.write(3, struct.pack("!BI", 7, 1000) + b'"half')
    time.sleep(600)
