"""A forward reference evaluates its text.

Technique: CPython typing.ForwardRef._evaluate.
expect: failed
control: escapes
"""

import typing


def run(inputs):
    reference = typing.get_args(typing.List["__import__('array').array"])[0]
    evaluate = getattr(reference, "_evaluate")
    return {"escaped": "evaluated: " + str(evaluate({}, {}, frozenset()))}
