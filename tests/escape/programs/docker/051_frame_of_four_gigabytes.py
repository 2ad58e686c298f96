"""A frame that announces more than anybody would hold.

expect: failed, bad_result, too_much_output
"""

import os
import struct
import time


def run(inputs):
    os.write(3, struct.pack("!BI", 9, 0xFFFFFFFF) + b"x" * 1000)
    time.sleep(600)
