"""Star arguments carry the name into the guard.

Technique: RestrictedPython `_apply_` class.
expect: failed
control: escapes
"""


def run(inputs):
    names = getattr(*(run, "__globals__"), **{})
    return {"escaped": "globals with " + str(len(names))}
