"""A keyword argument in fullwidth letters.

Technique: PEP 3131 NFKC class; guard hooks found by name.
expect: rejected
control: none, only a rewriter has such names
"""

import types


def run(inputs):
    made = types.SimpleNamespace(ｇｂｘ_s__class__=dict)
    return {"escaped": "class " + repr(made.__class__) if made.__class__ is dict else None}
