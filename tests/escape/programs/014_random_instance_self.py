"""Module-level functions of `random` are methods of one shared object.

Technique: Zope CVE-2021-32633 (`random._itertools`); shared state of random._inst.
expect: failed
control: escapes
"""

import random


def run(inputs):
    owner = getattr(random.random, "__self__")
    return {"escaped": "shared " + repr(owner)[:40]}
