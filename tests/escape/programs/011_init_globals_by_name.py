"""A constructor that was reached by name as a way to globals.

Technique: SSTI class "__init__.__globals__" (Jinja2 sandbox write-ups).
expect: failed
control: escapes
"""


class Plain:
    def __init__(self):
        self.value = 1


def run(inputs):
    names = getattr(getattr(Plain, "__init__"), "__globals__")
    return {"escaped": "globals with " + str(len(names)) if names else None}
