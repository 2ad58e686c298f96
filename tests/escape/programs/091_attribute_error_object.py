"""An AttributeError keeps the object that lacked the attribute.

Technique: RestrictedPython 7.3 (CVE-2024-47532); n8n CVE-2026-0863.
expect: failed
control: escapes
"""

import json


def run(inputs):
    try:
        json.missing
    except AttributeError as error:
        found = error.obj
    return {"escaped": repr(found)[:60] if found is not None else None}
