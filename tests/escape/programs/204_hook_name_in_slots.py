"""A reserved name as a slot.

Technique: guard hooks found by name.
expect: failed
control: none, only a rewriter has such names
"""

NAMES = ["gbx_s__class__", "gbx_h_type"]


class Made:
    __slots__ = tuple(NAMES)


def run(inputs):
    made = Made()
    setattr(made, NAMES[0], dict)
    return {"escaped": "class " + repr(made.__class__) if made.__class__ is dict else None}
