"""`__match_args__` names the namespace of an object.

Technique: PEP 634 class patterns read attributes by name.
expect: contained
control: escapes
"""


class Holder:
    __match_args__ = ("__dict__",)

    def __init__(self):
        self.value = 1


def run(inputs):
    match Holder():
        case Holder(found):
            return {"escaped": "namespace " + str(found)}
    return {"escaped": None}
