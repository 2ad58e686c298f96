"""`hasattr` tells of attributes that cannot be read.

Technique: RestrictedPython guards on hasattr.
expect: contained
control: escapes
"""


def run(inputs):
    found = [name for name in ("__globals__", "__code__", "gi_frame", "__dict__") if hasattr(run, name)]
    return {"escaped": "hasattr tells of " + str(found) if found else None}
