"""The module behind `print`, in plain sight.

Technique: pyjail class "print.__self__".
expect: rejected
control: escapes
"""


def run(inputs):
    owner = print.__self__
    return {"escaped": repr(owner) if "built-in" in repr(owner) else None}
