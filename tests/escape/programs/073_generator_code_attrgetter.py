"""The code of a generator by `attrgetter`.

Technique: RestrictedPython CVE-2023-37271.
expect: failed
control: escapes
"""

import operator


def run(inputs):
    code = operator.attrgetter("gi_code")(i for i in [])
    return {"escaped": repr(code)[:40] if "code object" in repr(code) else None}
