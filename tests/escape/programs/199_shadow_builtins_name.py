"""The program binds `__builtins__` itself.

Technique: CPython looks builtins up in globals; pyjail class "__builtins__ rebinding".
expect: contained
control: escapes
"""

__builtins__ = {"len": lambda value: -1, "__build_class__": None}


def size():
    return len([])


def run(inputs):
    return {"escaped": "builtins were replaced" if size() == -1 else None}
