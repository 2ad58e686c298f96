"""A constant of the library is augmented.

Technique: RestrictedPython changes on in-place assignment; shared-library poisoning.
expect: failed
control: escapes
"""

import math


def run(inputs):
    math.pi += 1
    return {"escaped": "pi is %r" % math.pi if math.pi > 4 else None}
