"""A class pattern captures the object that an error keeps.

Technique: RestrictedPython 7.3 (CVE-2024-47532, AttributeError.obj).
expect: contained
control: escapes
"""

import json


def run(inputs):
    try:
        json.missing
    except AttributeError as error:
        match error:
            case AttributeError(obj=found):
                return {"escaped": repr(found)[:60]}
    return {"escaped": None}
