"""Signals with a value, by the thread's number, to the first process.

expect: succeeded
"""

import ctypes


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(1, 65):
        libc.sigqueue(1, number, ctypes.c_void_p(7))
        libc.syscall(234, 1, 1, number)
        libc.syscall(200, 1, number)
    return "guest lives"
