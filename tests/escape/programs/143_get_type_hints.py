"""`typing.get_type_hints` evaluates annotations that are text.

Technique: CPython typing.get_type_hints documentation.
expect: rejected
control: escapes
"""

from typing import get_type_hints

planted = []


def made(value: "planted.append(__import__('os').name)"):
    pass


def run(inputs):
    try:
        get_type_hints(made)
    except TypeError:
        pass
    return {"escaped": "annotation ran: " + planted[0] if planted else None}
