"""The same before `run` is there.

expect: failed
"""

import os

os._exit(0)


def run(inputs):
    return "never"
