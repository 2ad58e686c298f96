"""A sort key reads attributes from C.

Technique: CTF class "sort keys and callbacks".
expect: failed
control: escapes
"""

import operator


def run(inputs):
    found = min([run], key=operator.attrgetter("__globals__")) and max(
        [run, run], key=lambda function: len(getattr(function, "__globals__"))
    )
    return {"escaped": "keys came from " + repr(found)[:30]}
