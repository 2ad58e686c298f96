"""`abort()` of the C library.

expect: failed
"""

import os


def run(inputs):
    os.abort()
