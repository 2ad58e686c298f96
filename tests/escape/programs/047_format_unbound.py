"""`str.format` called on the class.

Technique: RestrictedPython 6.2 (CVE-2023-41039).
expect: failed
control: escapes
"""


def run(inputs):
    text = str.format("{0.__globals__}", run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
