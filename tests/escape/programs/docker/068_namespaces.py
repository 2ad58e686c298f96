"""unshare, setns and clone with every flag of a namespace.

expect: succeeded
"""

import ctypes
import os


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    got = []
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
        if libc.unshare(flag) == 0:
            got.append(("unshare", hex(flag)))
        if flag != 0x80:
            pid = libc.syscall(56, flag | 17, 0, 0, 0, 0)
            if pid == 0:
                os._exit(0)
            if pid > 0:
                got.append(("clone", hex(flag)))
        for name in ("mnt", "net", "user", "pid"):
            try:
                fd = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
            except OSError:
                continue
            if libc.setns(fd, 0) == 0:
                got.append(("setns", name))
    arguments = (ctypes.c_uint64 * 11)(0x10000000)
    if libc.syscall(435, arguments, 88) >= 0:
        got.append("clone3")
    assert not got, got
