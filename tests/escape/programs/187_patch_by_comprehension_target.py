"""A comprehension assigns to an attribute of the library.

Technique: RestrictedPython 4.0 changes (comprehension targets).
expect: failed
control: escapes
"""

import json


def run(inputs):
    [0 for json.dumps in [run]]
    return {"escaped": "json.dumps was replaced" if json.dumps is run else None}
