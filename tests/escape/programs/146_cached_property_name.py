"""`cached_property` stores under a name that its subclass chooses.

Technique: CPython functools.cached_property.attrname.
expect: failed
control: escapes
"""

import functools


class Choosing(functools.cached_property):
    pass


class Made:
    def value(self):
        return 1

    value = Choosing(value)


def run(inputs):
    Made.value.attrname = "__planted__"
    made = Made()
    made.value
    return {"escaped": "stored as __planted__" if getattr(made, "__planted__") == 1 else None}
