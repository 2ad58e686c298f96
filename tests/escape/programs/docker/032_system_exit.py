"""`sys.exit(0)`.

expect: failed
"""

import sys


def run(inputs):
    sys.exit(0)
