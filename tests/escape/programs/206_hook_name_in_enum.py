"""Reserved names as members.

Technique: guard hooks found by name.
expect: contained
control: none, only a rewriter has such names
"""

import enum


def run(inputs):
    made = enum.Enum("Made", {"gbx_s__call__": 1, "gbx_h_type": 2, "gbx_s__members__": 3})
    try:
        called = made.A()
    except (TypeError, AttributeError):
        called = None
    return {"escaped": "members " + repr(made.__members__) if made.__members__ == 3 or called else None}
