"""A metaclass turns subscription of a class into a call.

Technique: pyjail class "metaclass operators" (HackTricks, RCE by operators).
expect: rejected
control: escapes
"""


class Meta(type):
    def __getitem__(cls, name):
        return getattr(cls, name)


class Made(metaclass=Meta):
    pass


def run(inputs):
    return {"escaped": "metaclass ran: " + str(Made["__mro__"])}
