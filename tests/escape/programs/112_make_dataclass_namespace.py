"""`make_dataclass` puts any name into the class.

Technique: CPython dataclasses.make_dataclass `namespace=`.
expect: failed
control: escapes
"""

import dataclasses


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = dataclasses.make_dataclass("Made", [], namespace={"__getattr__": hook})
    return {"escaped": made().anything}
