"""`attrgetter` reads attributes in C.

Technique: RestrictedPython security considerations; CTF class "operator.attrgetter".
expect: failed
control: escapes
"""

import operator


def run(inputs):
    names = operator.attrgetter("__globals__")(run)
    return {"escaped": "globals with " + str(len(names))}
