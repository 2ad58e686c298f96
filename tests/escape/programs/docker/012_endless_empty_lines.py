"""Lines that cost nothing but their number.

expect: too_much_output
"""

import os


def run(inputs):
    while True:
        os.write(2, b"\n" * 4096)
