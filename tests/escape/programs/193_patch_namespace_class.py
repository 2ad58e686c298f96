"""The class of namespaces belongs to the library.

Technique: shared-library poisoning.
expect: contained
control: none, a class of C cannot be changed in cpython
"""

import types


def run(inputs):
    try:
        types.SimpleNamespace.planted = 1
    except TypeError:
        return {"escaped": None}
    return {"escaped": "SimpleNamespace carries state"}
