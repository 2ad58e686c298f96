"""A class that answers every attribute, also to trusted code.

Technique: RestrictedPython policy on `__getattr__`; ReportLab CVE-2023-33733.
expect: rejected
control: escapes
"""


class Made:
    def __getattr__(self, name):
        return "answer to " + name


def run(inputs):
    return {"escaped": Made().anything}
