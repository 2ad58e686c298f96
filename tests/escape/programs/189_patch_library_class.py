"""A method of a library class is replaced.

Technique: shared-library poisoning.
expect: failed
control: escapes
"""

import json


def run(inputs):
    json.JSONEncoder.default = lambda self, value: "forged"
    return {"escaped": json.JSONEncoder().encode(run) if "forged" in json.JSONEncoder().encode(run) else None}
