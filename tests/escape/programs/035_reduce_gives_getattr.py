"""Pickling support of a bound builtin holds the real `getattr`.

Technique: lmfit/asteval issue 86 (`print.__reduce__()`).
expect: failed
control: escapes
"""


def run(inputs):
    parts = getattr("".upper, "__reduce__")()
    return {"escaped": repr(parts[0]) if "getattr" in repr(parts[0]) else None}
