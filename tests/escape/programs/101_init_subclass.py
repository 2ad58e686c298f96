"""Deriving a class calls a method of its parent.

Technique: pyjail class "__init_subclass__".
expect: rejected
control: escapes
"""

seen = []


class Base:
    def __init_subclass__(cls, **kwargs):
        seen.append(cls)


class Child(Base):
    pass


def run(inputs):
    return {"escaped": "hook ran" if seen else None}
