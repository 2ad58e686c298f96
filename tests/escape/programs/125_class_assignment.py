"""An object changes its class.

Technique: pyjail class "__class__ assignment".
expect: rejected
control: escapes
"""


class One:
    pass


class Two:
    pass


def run(inputs):
    one = One()
    one.__class__ = Two
    return {"escaped": "class was changed" if isinstance(one, Two) else None}
