"""`object.__setattr__` with a special name.

Technique: frozen dataclass idiom; pyjail class "__class__ assignment".
expect: failed
control: escapes
"""


class One:
    pass


class Two:
    pass


def run(inputs):
    one = One()
    object.__setattr__(one, "__class__", Two)
    return {"escaped": "class was changed" if isinstance(one, Two) else None}
