"""A method that was made by hand gives its function.

Technique: pyjail class "method.__func__".
expect: failed
control: escapes
"""

import json
import types


def run(inputs):
    made = types.MethodType(json.dumps, {})
    function = getattr(made, "__func__")
    return {"escaped": repr(function)[:40] + made()}
