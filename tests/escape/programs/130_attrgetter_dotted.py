"""A dotted name hides the second attribute.

Technique: CTF class "operator.attrgetter" with dots.
expect: failed
control: escapes
"""

import operator


class Holder:
    pass


def run(inputs):
    holder = Holder()
    holder.function = run
    names = operator.attrgetter("function.__globals__")(holder)
    return {"escaped": "globals with " + str(len(names))}
