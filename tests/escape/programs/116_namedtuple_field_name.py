"""Field names of a named tuple become source text.

Technique: CPython issue 16121 class (namedtuple template injection).
expect: failed
control: none, cpython checks the names too
"""

import collections


def run(inputs):
    made = collections.namedtuple("Made", ["x=print", "y"])
    return {"escaped": "fields " + str(made)}
