"""A read of no memory at all.

expect: failed
"""

import ctypes


def run(inputs):
    return ctypes.string_at(0)
