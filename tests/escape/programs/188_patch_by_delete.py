"""A name of the library is deleted.

Technique: RestrictedPython test-suite class "delete targets".
expect: failed
control: escapes
"""

import json


def run(inputs):
    del json.dumps
    return {"escaped": "json.dumps is gone" if not hasattr(json, "dumps") else None}
