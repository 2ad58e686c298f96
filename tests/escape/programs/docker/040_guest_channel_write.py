"""Words of the guest, written where the guest writes them.

expect: succeeded
"""

import os


def run(inputs):
    for name in ("/proc/1/fd/1", "/proc/1/fd/11", "/dev/stdout", "/dev/console", "/proc/1/fd/2"):
        try:
            fd = os.open(name, os.O_WRONLY)
            os.write(fd, b"\x01\x00\x00\x00\x00")
            os.close(fd)
        except OSError:
            pass
    return "done"
