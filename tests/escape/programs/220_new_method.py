"""A class makes objects of another class.

Technique: pyjail class "__new__"; RestrictedPython class checks.
expect: rejected
control: escapes
"""


class Made:
    def __new__(cls):
        return run


def run(inputs):
    return {"escaped": "made " + repr(Made())[:30]}
