"""Work in threads that hold no lock of the interpreter.

expect: timed_out
"""

import hashlib
import threading


def work():
    while True:
        hashlib.sha256(b"x" * 10_000_000).digest()


def run(inputs):
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
