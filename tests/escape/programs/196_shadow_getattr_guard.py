"""A positional-only parameter has the name of a guard.

Technique: RestrictedPython 8.3 (CVE-2026-55830, GHSA-ffg3-p8fm-mjx2).
expect: failed
control: escapes
"""


def leak(_getattr_, text, value, /):
    return text.format(value)


def run(inputs):
    text = leak(lambda owner, name: str.format, "{0.__globals__}", run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
