"""A special name as the field of `typing.NamedTuple`.

Technique: CPython typing.NamedTuple field names.
expect: failed
control: none, cpython checks the names too
"""

import typing


def run(inputs):
    made = typing.NamedTuple("Made", [("__getattr__", int)])
    return {"escaped": "fields " + str(made)}
