"""Writes anywhere but in the scratch places.

expect: succeeded
"""

import os


def run(inputs):
    got = []
    for top, directories, _ in os.walk("/"):
        directories[:] = [d for d in directories if os.path.join(top, d) not in ("/proc", "/sys", "/tmp", "/dev/shm")]
        try:
            name = os.path.join(top, "canary")
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            got.append(name)
        except OSError:
            pass
    # A queue needs no room that was not taken from the message queue limit, which is none.
    assert not [name for name in got if not name.startswith("/dev/mqueue")], got
