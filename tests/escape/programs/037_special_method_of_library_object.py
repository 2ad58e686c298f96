"""A special method of a library object, and the object that it is bound to.

Technique: RestrictedPython security considerations (attribute names as values).
expect: failed
control: escapes
"""

import json


def run(inputs):
    owner = getattr(getattr(len, "__call__"), "__self__")
    return {"escaped": repr(owner)[:60]}
