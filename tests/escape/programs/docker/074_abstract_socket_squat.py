"""A name in the abstract namespace of sockets, held by a daemon.

expect: succeeded
"""

import os
import socket
import time


def run(inputs):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0glovebox-squat")
    listener.listen()
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    return "held"
