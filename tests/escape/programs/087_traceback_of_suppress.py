"""A subclass of a library context manager is handed the traceback.

Technique: pyjail class "__exit__ receives the traceback".
expect: contained
control: escapes
"""

import contextlib

seen = []


class Watch(contextlib.suppress):
    def __exit__(self, *told):
        seen.append(repr(told))
        return True


def run(inputs):
    with Watch():
        1 / 0
    return {"escaped": seen[0] if "traceback object" in seen[0] else None}
