"""A reserved name travels as a keyword.

Technique: guard hooks found by name.
expect: contained
control: none, only a rewriter has such names
"""

import types


def collect(**named):
    return named


def run(inputs):
    try:
        made = types.SimpleNamespace(**{"gbx_s__class__": dict, "gbx_p_x": 1})
        found = made.__class__
    except (TypeError, AttributeError):
        return {"escaped": None}
    return {"escaped": "class " + repr(found) if found is dict else None}
