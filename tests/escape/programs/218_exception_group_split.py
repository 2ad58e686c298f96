"""A group of exceptions without the new syntax.

Technique: RestrictedPython 8.0 (CVE-2025-22153).
expect: rejected
control: escapes
"""


def run(inputs):
    group = ExceptionGroup("x", [ValueError("y")])
    return {"escaped": "made " + repr(group)}
