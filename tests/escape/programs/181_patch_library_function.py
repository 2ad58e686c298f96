"""A library function is replaced for everybody.

Technique: shared-library poisoning (open-chat-studio sandbox assessment).
expect: failed
control: escapes
"""

import json


def mine(value):
    return "forged"


def run(inputs):
    json.dumps = mine
    return {"escaped": "json.dumps was replaced" if json.dumps is mine else None}
