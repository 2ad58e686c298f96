"""`__match_args__` holds a text that compares like another one.

Technique: ReportLab CVE-2023-33733; PEP 634.
expect: contained
control: none, cpython takes exact texts only
"""


class Name(str):
    def startswith(self, *prefixes):
        return False

    def __contains__(self, part):
        return False

    def __getitem__(self, key):
        return "x"

    def __len__(self):
        return 1

    def __hash__(self):
        return str.__hash__(self)


class Holder:
    __match_args__ = (Name("__dict__"),)

    def __init__(self):
        self.value = 1


def run(inputs):
    try:
        match Holder():
            case Holder(found):
                return {"escaped": "namespace " + str(found)}
    except TypeError:
        pass
    return {"escaped": None}
