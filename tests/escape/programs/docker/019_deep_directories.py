"""Directories inside directories, deeper than a path can name.

expect: disk_full, failed, succeeded, timed_out
"""

import os


def run(inputs):
    for _ in range(5000):
        os.mkdir("d")
        os.chdir("d")
