"""A function carries the globals of its module.

Technique: pyjail class "function globals"; RestrictedPython 6.1 (CVE-2023-37271).
expect: rejected
control: escapes
"""


def run(inputs):
    names = run.__globals__
    return {"escaped": "globals with " + str(len(names)) if "__builtins__" in names else None}
