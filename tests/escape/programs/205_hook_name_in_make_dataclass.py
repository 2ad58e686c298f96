"""A reserved name as the field of a dataclass, where the compiler's own spelling of special methods would apply.

Technique: guard hooks found by name.
expect: contained
control: none, only a rewriter has such names
"""

import dataclasses


def run(inputs):
    made = dataclasses.make_dataclass("Made", [("gbx_s__class__", object, dict)])
    return {"escaped": "class " + repr(made().__class__) if made().__class__ is dict else None}
