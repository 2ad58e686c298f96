"""`methodcaller` calls the unguarded read.

Technique: CTF class "operator.methodcaller".
expect: failed
control: escapes
"""

import operator


def run(inputs):
    names = operator.methodcaller("__getattribute__", "__globals__")(run)
    return {"escaped": "globals with " + str(len(names))}
