"""Keyword arguments name special attributes of a namespace.

Technique: pickle and copy write-ups (`__reduce_ex__` on an instance).
expect: failed
control: escapes
"""

import copy
import types

seen = []


def rebuild(*told):
    seen.append(told)
    return (list, ())


def run(inputs):
    copy.copy(types.SimpleNamespace(**{"__reduce_ex__": rebuild}))
    return {"escaped": "copy called the hook" if seen else None}
