"""Processes that replace themselves faster than they can be listed.

expect: succeeded, too_many_processes, failed, timed_out
"""

import os


def run(inputs):
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            while True:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
    return "left behind"
