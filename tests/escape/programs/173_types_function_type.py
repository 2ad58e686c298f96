"""`types` makes functions and code from parts.

Technique: pyjail class "types.FunctionType(code, globals)".
expect: contained
control: escapes
"""

import types


def run(inputs):
    for name in ("FunctionType", "CodeType", "ModuleType", "FrameType", "TracebackType", "new_class"):
        found = getattr(types, name, None)
        if found is not None:
            return {"escaped": repr(found)}
    return {"escaped": None}
