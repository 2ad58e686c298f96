"""Anonymous memory by mmap, written page by page.

expect: out_of_memory
"""

import mmap


def run(inputs):
    area = mmap.mmap(-1, 1 << 32)
    for at in range(0, 1 << 32, 4096):
        area[at] = 1
