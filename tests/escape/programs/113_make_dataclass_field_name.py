"""A special name as the field of a dataclass.

Technique: CPython dataclasses.make_dataclass, fields become class attributes.
expect: failed
control: escapes
"""

import dataclasses


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = dataclasses.make_dataclass("Made", [("__getattr__", object, hook)])
    return {"escaped": made().anything}
