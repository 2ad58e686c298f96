"""`attrgetter` gets a text that lies when it is checked.

Technique: ReportLab CVE-2023-33733.
expect: failed
control: escapes
"""

import operator


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
    names = operator.attrgetter(Name("__globals__"))(run)
    return {"escaped": "globals with " + str(len(names))}
