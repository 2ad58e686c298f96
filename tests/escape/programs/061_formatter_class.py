"""`string.Formatter` walks attributes by itself.

Technique: AccessControl CVE-2021-32807; RestrictedPython CVE-2024-47532.
expect: failed
control: escapes
"""

import string


def run(inputs):
    text = string.Formatter().format("{0.__globals__}", run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
