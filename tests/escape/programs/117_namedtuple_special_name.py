"""A special name as the field of a named tuple.

Technique: CPython namedtuple field names.
expect: failed
control: none, cpython checks the names too
"""

import collections


def run(inputs):
    made = collections.namedtuple("Made", ["__class__"])
    return {"escaped": "fields " + str(made)}
