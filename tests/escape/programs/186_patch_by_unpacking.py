"""Unpacking assigns to an attribute of the library.

Technique: RestrictedPython test-suite class "assignment targets".
expect: failed
control: escapes
"""

import json


def run(inputs):
    (json.dumps, [json.loads, *rest]) = (run, (run, run))
    return {"escaped": "json.dumps was replaced" if json.dumps is run else None}
