"""The annotation of a variable is code.

Technique: PEP 526 annotations are evaluated; RestrictedPython 7.x (annotated assignments).
expect: contained
control: escapes
"""

seen = []
value: seen.append(1) = 1


def run(inputs, extra: seen.append(2) = None):
    return {"escaped": "annotations ran" if seen else None}
