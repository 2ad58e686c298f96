"""A reserved name is planted as a value.

Technique: guard hooks found by name.
expect: failed
control: none, only a rewriter has such names
"""


class Made:
    pass


def run(inputs):
    setattr(Made, "gbx_s__getattr__", lambda self, name: "answer to " + name)
    return {"escaped": Made().anything}
