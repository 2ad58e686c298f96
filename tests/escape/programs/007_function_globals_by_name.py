"""The globals of a function, named at run time.

Technique: pyjail class "function globals"; smolagents CVE-2025-9959 (dunder check by source text).
expect: failed
control: escapes
"""


def run(inputs):
    names = getattr(run, "__glo" "bals__")
    return {"escaped": "globals with " + str(len(names)) if "__builtins__" in names else None}
