"""The functional form mixes in a type of one's choice.

Technique: CPython enum functional form (`type=`).
expect: failed
control: escapes
"""

import enum


class Mixin:
    pass


setattr(Mixin, "__getattr__", lambda self, name: "answer to " + name)


def run(inputs):
    made = enum.Enum("Made", {"A": 1}, type=Mixin)
    return {"escaped": made.A.anything}
