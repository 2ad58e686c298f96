"""`dataclass` writes methods into the class that it decorates.

Technique: shared-library poisoning (open-chat-studio sandbox assessment).
expect: failed
control: escapes
"""

import dataclasses
import json


def run(inputs):
    changed = dataclasses.dataclass(json.JSONEncoder)
    return {"escaped": "library class was changed" if changed is json.JSONEncoder else None}
