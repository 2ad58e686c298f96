"""Pickling support of any object holds a library function.

Technique: lmfit/asteval issue 86; pickle write-ups.
expect: failed
control: escapes
"""


class Plain:
    pass


def run(inputs):
    parts = getattr(Plain(), "__reduce_ex__")(2)
    return {"escaped": repr(parts[0])[:60] if "function" in repr(parts[0]) else None}
