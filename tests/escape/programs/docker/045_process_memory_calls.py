"""process_vm_readv and process_vm_writev on the guest, kcmp, process_madvise.

expect: succeeded
"""

import ctypes


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    got = [number for number in (310, 311, 312, 440) if libc.syscall(number, 1, 0, 0, 0, 0, 0) >= 0]
    assert not got, got
