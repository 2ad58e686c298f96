"""Sockets of every family but local ones and the container's own loopback.

expect: succeeded
"""

import ctypes


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    got = []
    for family in range(64):
        for kind in (1, 2, 3, 5, 10):
            for protocol in (0, 1, 132, 255, 262):
                fd = libc.socket(family, kind, protocol)
                if fd >= 0:
                    got.append((family, kind, protocol))
                    libc.close(fd)
    allowed = {(1, kind, protocol) for kind in (1, 2, 3, 5) for protocol in (0, 1)}
    allowed |= {(family, kind, 0) for family in (2, 10) for kind in (1, 2)}
    assert set(got) <= allowed, sorted(set(got) - allowed)
