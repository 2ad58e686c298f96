"""An object changes its class, named at run time.

Technique: pyjail class "__class__ assignment"; idekCTF pyjail (setattr chains).
expect: failed
control: escapes
"""


class One:
    pass


class Two:
    pass


def run(inputs):
    one = One()
    setattr(one, "__class__", Two)
    return {"escaped": "class was changed" if isinstance(one, Two) else None}
