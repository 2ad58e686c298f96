"""The builtins out of `globals()`.

Technique: pyjail class "globals()['__builtins__']".
expect: rejected
control: escapes
"""


def run(inputs):
    found = globals()["__builtins__"]
    return {"escaped": repr(found)[:60] if found else None}
