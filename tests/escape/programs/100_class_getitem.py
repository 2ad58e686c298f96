"""Subscription of a class calls an attribute of it.

Technique: pyjail class "__class_getitem__ = exec".
expect: rejected
control: escapes
"""


class Made:
    __class_getitem__ = getattr


def run(inputs):
    found = Made["__mro__"] if False else Made.__class_getitem__(Made, "__name__")
    return {"escaped": "hook ran: " + str(found)}
