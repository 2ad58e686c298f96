"""A result frame written past the guest's code, then another one.

expect: succeeded
"""

import os
import struct


def run(inputs):
    payload = b'"forged"'
    os.write(3, struct.pack("!BI", 7, len(payload)) + payload)
    return "honest"
