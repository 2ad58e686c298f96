"""Exception groups confuse the types of CPython 3.11.

Technique: RestrictedPython 8.0 (CVE-2025-22153).
expect: rejected
control: none, it crashes cpython instead of giving an object
"""


class Group(ExceptionGroup):
    def split(self, condition):
        return 42


def run(inputs):
    found = []
    try:
        raise Group("x", [ValueError("y")])
    except* ValueError as error:
        found.append(repr(error))
    return {"escaped": found[0] if found else None}
