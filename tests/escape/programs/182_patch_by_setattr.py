"""A library function is replaced by `setattr`.

Technique: shared-library poisoning.
expect: failed
control: escapes
"""

import json


def mine(value):
    return "forged"


def run(inputs):
    setattr(*(json, "dumps", mine))
    return {"escaped": "json.dumps was replaced" if json.dumps is mine else None}
