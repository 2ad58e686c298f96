"""A walrus binds in the scope outside of its comprehension.

Technique: PEP 572 scoping; RestrictedPython 5.x changes for walrus.
expect: rejected
control: escapes
"""


def run(inputs):
    found = [names for key in ["x"] if (names := run.__globals__)]
    return {"escaped": "globals with " + str(len(found[0]))}
