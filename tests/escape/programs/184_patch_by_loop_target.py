"""A loop assigns to an attribute of the library.

Technique: RestrictedPython test-suite class "assignment targets".
expect: failed
control: escapes
"""

import json


def run(inputs):
    for json.dumps in [run]:
        pass
    return {"escaped": "json.dumps was replaced" if json.dumps is run else None}
