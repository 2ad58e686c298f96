"""`register` evaluates annotations that are text.

Technique: CPython functools.singledispatch, typing.get_type_hints evaluates text.
expect: contained
control: escapes
"""

import functools

planted = []


@functools.singledispatch
def show(value):
    return "any"


def run(inputs):
    try:

        @show.register
        def show_more(value: "planted.append(__import__('os').name)"):
            return "more"

    except TypeError:
        pass
    return {"escaped": "annotation ran: " + planted[0] if planted else None}
