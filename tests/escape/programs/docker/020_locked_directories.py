"""Directories that nobody may enter are left behind.

expect: succeeded
"""

import os


def run(inputs):
    os.makedirs("/tmp/a/b/c")
    for name in ("/tmp/a/b/c", "/tmp/a/b", "/tmp/a"):
        open(name + "/file", "w").close()
        os.chmod(name, 0)
    return "left"
