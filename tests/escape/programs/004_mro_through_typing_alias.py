"""`typing.Type` hands attribute reads on to `type`: its `mro` gives the bases that a replaced class hides.

Technique: pyjail class "mro walk"; CPython typing.py `_BaseGenericAlias.__getattr__`.
expect: contained
control: escapes
"""

import enum
import typing


def hook(self, name):
    return "hook was asked for " + name


def run(inputs):
    try:
        bases = typing.Type.mro(enum.Enum)
        made = bases[-2]("Made", {"__getattr__": hook, "A": 1})
        found = made.A.anything
    except (AttributeError, TypeError, ValueError):
        return {"escaped": None}
    return {"escaped": "a class with special methods from " + str(bases) + ": " + found}
