"""`wraps` leaves a way back to the function it wrapped.

Technique: CPython functools `__wrapped__`; pyjail class "__wrapped__".
expect: contained
control: escapes
"""

import contextlib


@contextlib.contextmanager
def managed():
    yield 1


def run(inputs):
    found = getattr(managed, "__wrapped__", None)
    return {"escaped": repr(found)[:40] if found is not None else None}
