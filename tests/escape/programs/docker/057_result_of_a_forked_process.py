"""A process that the program forks returns from `run`, too.

expect: succeeded, failed, bad_result
"""

import os


def run(inputs):
    return "child" if os.fork() == 0 else "parent"
