"""The type of a module makes modules.

Technique: pyjail class "type(module)(name)".
expect: failed
control: escapes
"""

import json


def run(inputs):
    made = type(json)("planted")
    return {"escaped": "made " + repr(made)}
