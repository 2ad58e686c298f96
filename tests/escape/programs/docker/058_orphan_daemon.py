"""A process of its own session that outlives its parent and watches the next run.

expect: succeeded
"""

import os
import time


def run(inputs):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.closerange(0, 100)
        while True:
            time.sleep(0.01)
            try:
                open("/tmp/daemon", "w").close()
            except OSError:
                pass
    time.sleep(0.1)
    return "left behind"
