"""The classes and functions of `io` that open files.

Technique: pyjail class "io.open / io.FileIO".
expect: contained
control: escapes
"""

import io


def run(inputs):
    for name in ("open", "FileIO", "open_code", "OpenWrapper"):
        opener = getattr(io, name, None)
        if opener is not None:
            return {"escaped": repr(opener)}
    return {"escaped": None}
