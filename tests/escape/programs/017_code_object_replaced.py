"""Giving a function another function's code.

Technique: pyjail class "__code__ replacement" (CTF write-ups of func_code swaps).
expect: failed
control: escapes
"""


def one():
    return 1


def two():
    return 2


def run(inputs):
    setattr(one, "__code__", getattr(two, "__code__"))
    return {"escaped": "code was replaced" if one() == 2 else None}
