"""A file of a terabyte that has no blocks.

expect: succeeded, failed, disk_full
"""

import os


def run(inputs):
    fd = os.open("/tmp/sparse", os.O_CREAT | os.O_RDWR)
    os.truncate(fd, 1 << 40)
    return os.fstat(fd).st_size
