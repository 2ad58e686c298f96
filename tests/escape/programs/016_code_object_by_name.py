"""The code object of a library function, named at run time.

Technique: pyjail class "code object"; vm2-like host function reach.
expect: failed
control: escapes
"""

import json


def run(inputs):
    code = getattr(json.loads, "__code__")
    return {"escaped": repr(code)[:40] if "code object" in repr(code) else None}
