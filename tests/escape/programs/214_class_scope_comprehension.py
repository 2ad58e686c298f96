"""A comprehension inside a class body has a scope of its own.

Technique: CPython class scope rules; RestrictedPython class body checks.
expect: failed
control: escapes
"""


class Made:
    names = [getattr(function, "__globals__") for function in [lambda: 0]]


def run(inputs):
    return {"escaped": "globals with " + str(len(Made.names[0]))}
