"""The Formatter's own method gives the object, not its text.

Technique: RestrictedPython CVE-2026-76825 (unsafe traversal methods).
expect: failed
control: escapes
"""

import string


def run(inputs):
    found, _ = string.Formatter().get_field("0.__globals__", (run,), {})
    return {"escaped": "globals with " + str(len(found))}
