"""The globals behind a bound library method.

Technique: Zope CVE-2021-32674; pyjail class "method to function to globals".
expect: failed
control: escapes
"""

import json


def run(inputs):
    function = getattr(json.JSONEncoder().encode, "__func__")
    names = getattr(function, "__globals__")
    return {"escaped": "json globals: " + str(sorted(names)[:3])}
