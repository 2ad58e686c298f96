"""A callback of `ExitStack.push` is handed the traceback.

Technique: pyjail class "__exit__ receives the traceback"; CPython contextlib.
expect: contained
control: escapes
"""

import contextlib

seen = []


def watch(kind, error, traceback):
    seen.append(repr(traceback))
    return True


def run(inputs):
    with contextlib.ExitStack() as stack:
        stack.push(watch)
        1 / 0
    return {"escaped": seen[0] if "traceback object" in seen[0] else None}
