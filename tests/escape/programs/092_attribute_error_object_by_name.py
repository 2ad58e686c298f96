"""The object that an AttributeError keeps, named at run time.

Technique: RestrictedPython 7.3 (CVE-2024-47532).
expect: failed
control: escapes
"""

import json


def run(inputs):
    try:
        json.missing
    except AttributeError as error:
        found = getattr(error, "obj")
    return {"escaped": repr(found)[:60] if found is not None else None}
