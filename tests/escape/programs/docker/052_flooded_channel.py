"""Frames without end.

expect: too_much_output, failed
"""

import os
import struct


def run(inputs):
    payload = b'{"message":"","fields":{}}'
    frame = struct.pack("!BI", 6, len(payload)) + payload
    while True:
        os.write(3, frame * 1000)
