"""Every descriptor closed; there is no way left to tell a result.

expect: failed
"""

import os


def run(inputs):
    os.closerange(0, 100)
    return "unheard"
