"""A library function carries state to whoever uses it next.

Technique: shared-library poisoning.
expect: failed
control: escapes
"""

import json


def run(inputs):
    json.loads.planted = 1
    return {"escaped": "json.loads carries state" if json.loads.planted else None}
