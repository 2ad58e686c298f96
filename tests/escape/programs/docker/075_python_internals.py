"""Memory of the interpreter is overwritten.

expect: failed, timed_out, bad_result, succeeded
"""

import ctypes


def run(inputs):
    for at in range(id(None), id(None) + 4096, 8):
        ctypes.c_long.from_address(at).value = 0x4141414141414141
    return None
