"""The code object of a function.

Technique: pyjail class "code object"; RestrictedPython 6.1 (CVE-2023-37271).
expect: rejected
control: escapes
"""


def run(inputs):
    code = run.__code__
    return {"escaped": repr(code)[:40] if "code object" in repr(code) else None}
