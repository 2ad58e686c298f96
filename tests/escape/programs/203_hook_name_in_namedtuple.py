"""A reserved name as a field.

Technique: guard hooks found by name.
expect: contained
control: none, only a rewriter has such names
"""

import collections


def run(inputs):
    made = collections.namedtuple("Made", ["gbx_s__len__", "gbx_s__class__"])(1, 2)
    text = "{0.__len__} {0.__class__}"
    try:
        return {"escaped": text.format(made) if text.format(made) == "1 2" else None}
    except AttributeError:
        return {"escaped": None}
