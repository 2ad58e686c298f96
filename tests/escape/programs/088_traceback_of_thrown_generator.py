"""`contextmanager` throws type, value and traceback into whatever its function returned.

Technique: pyjail class "traceback objects"; CPython contextlib `_GeneratorContextManager.__exit__`.
expect: contained
control: escapes
"""

import contextlib

seen = []


class NoGenerator:
    def __iter__(self):
        return self

    def __next__(self):
        return 1

    def throw(self, *told):
        seen.append(repr(told))
        raise StopIteration


@contextlib.contextmanager
def managed():
    return NoGenerator()


def run(inputs):
    try:
        with managed():
            1 / 0
    except (ZeroDivisionError, RuntimeError, TypeError, AttributeError):
        pass
    return {"escaped": seen[0] if seen and "traceback object" in seen[0] else None}
