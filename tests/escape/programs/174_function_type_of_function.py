"""The type of a function makes functions.

Technique: pyjail class "type(f)(code, globals)".
expect: failed
control: escapes
"""

import json


def run(inputs):
    make = type(run)
    made = make(getattr(run, "__code__", None), {})
    return {"escaped": "made " + repr(made)[:40]}
