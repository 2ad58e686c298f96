"""A builtin function is bound to the module `builtins`.

Technique: pyjail class "print.__self__" (HackTricks, Bypass Python sandboxes).
expect: failed
control: escapes
"""


def run(inputs):
    owner = getattr(len, "__self__")
    return {"escaped": repr(owner) if "built-in" in repr(owner) else None}
