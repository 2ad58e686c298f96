"""A property gives the library function that it calls.

Technique: pyjail class "property.fget.__globals__".
expect: failed
control: escapes
"""

import fractions


def run(inputs):
    function = fractions.Fraction.numerator.fget
    return {"escaped": "globals with " + str(len(getattr(function, "__globals__")))}
