"""The cells of a function that the library made.

Technique: pyjail class "closure cells" (__closure__[0].cell_contents).
expect: failed
control: escapes
"""

import contextlib


@contextlib.contextmanager
def managed():
    yield 1


def run(inputs):
    cells = getattr(managed, "__closure__")
    return {"escaped": repr(cells)[:60] if "cell" in repr(cells) else None}
