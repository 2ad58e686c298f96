"""Glove calls without waiting for an answer.

expect: failed, timed_out, too_much_output, succeeded
"""

import os
import struct


def run(inputs):
    payload = b'{"glove":"memory.get","arguments":{"key":"a"}}'
    frame = struct.pack("!BI", 11, len(payload)) + payload
    while True:
        os.write(3, frame * 100)
