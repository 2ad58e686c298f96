"""A walk over attributes and items to one global.

Technique: Flask secret leaks by "{0.__class__.__init__.__globals__[config]}".
expect: failed
control: escapes
"""

SECRET = "found"


class Plain:
    def __init__(self):
        self.value = 1


def run(inputs):
    text = "{0.__init__.__globals__[SECRET]}".format(Plain())
    return {"escaped": text if text == SECRET else None}
