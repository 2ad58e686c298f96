"""`setattr` gets a text that lies when it is checked.

Technique: ReportLab CVE-2023-33733.
expect: failed
control: escapes
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


class One:
    pass


class Two:
    pass


def run(inputs):
    one = One()
    setattr(one, Name("__class__"), Two)
    return {"escaped": "class was changed" if isinstance(one, Two) else None}
