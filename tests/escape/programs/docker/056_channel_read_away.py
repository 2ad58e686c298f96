"""A thread that reads the answers which the program waits for.

expect: timed_out, failed, succeeded
"""

import os
import threading


def run(inputs, ctx):
    threading.Thread(target=lambda: [os.read(3, 1) for _ in range(10**9)], daemon=True).start()
    return ctx.memory.get("a")
