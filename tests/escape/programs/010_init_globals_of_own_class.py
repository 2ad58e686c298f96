"""The constructor of a class as a way to globals.

Technique: SSTI class "__init__.__globals__" (Jinja2 sandbox write-ups).
expect: rejected
control: escapes
"""


class Plain:
    def __init__(self):
        self.value = 1


def run(inputs):
    names = Plain.__init__.__globals__
    return {"escaped": "globals with " + str(len(names)) if names else None}
