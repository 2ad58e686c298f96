"""A relative import reaches past the hook's list.

Technique: CPython `__import__` level.
expect: rejected
control: none, a script has no parent package
"""

from . import json as found


def run(inputs):
    return {"escaped": repr(found)}
