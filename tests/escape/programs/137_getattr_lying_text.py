"""`getattr` gets a text that lies when it is checked.

Technique: ReportLab CVE-2023-33733 (str subclass with its own startswith and hash).
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


def run(inputs):
    names = getattr(run, Name("__globals__"))
    return {"escaped": "globals with " + str(len(names))}
