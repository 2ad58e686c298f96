"""A weak reference keeps its callback and calls it later.

Technique: pyjail class "weakref and gc".
expect: failed
control: escapes
"""

import weakref


class Made:
    pass


def run(inputs):
    kept = Made()
    found = getattr(weakref.ref(kept, run), "__callback__")
    return {"escaped": repr(found)[:40]}
