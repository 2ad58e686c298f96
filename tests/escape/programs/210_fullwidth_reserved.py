"""A reserved name of the rewriter in fullwidth letters.

Technique: PEP 3131 NFKC class; guard hooks found by name.
expect: rejected
control: none, only a rewriter has such names
"""

ｇｂｘ_h_type = list


def run(inputs):
    return {"escaped": "a reserved name was bound" if (1).__class__ is list else None}
