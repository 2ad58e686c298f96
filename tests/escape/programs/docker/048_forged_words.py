"""Words of the guest on the program's own channel and output.

expect: failed, bad_result
"""

import os
import struct
import time


def run(inputs):
    for word in range(1, 7):
        os.write(1, struct.pack("!BI", word, 0))
        os.write(3, struct.pack("!BI", word, 0))
    time.sleep(600)
