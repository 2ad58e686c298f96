"""`update_wrapper` copies attributes that the caller names.

Technique: CPython functools.update_wrapper `assigned=`.
expect: failed
control: escapes
"""

import functools
import json


def mine():
    pass


class Target:
    pass


def run(inputs):
    target = Target()
    functools.update_wrapper(target, json.dumps, assigned=("__globals__", "__code__"), updated=())
    return {"escaped": "a copied " + repr(getattr(target, "__code__"))[:30]}
