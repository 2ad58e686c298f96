"""An object of the library is changed behind its back.

Technique: shared-library poisoning.
expect: failed
control: escapes
"""

import datetime
import fractions


def run(inputs):
    half = fractions.Fraction(1, 2)
    half._numerator = 5
    return {"escaped": str(half) if str(half) == "5/2" else None}
