"""`methodcaller` calls a special method by name.

Technique: CTF class "operator.methodcaller"; asteval issue 86.
expect: failed
control: escapes
"""

import operator


def run(inputs):
    parts = operator.methodcaller("__reduce__")("".upper)
    return {"escaped": repr(parts[0]) if "getattr" in repr(parts[0]) else None}
