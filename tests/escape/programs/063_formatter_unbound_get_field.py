"""The same method, called on the class.

Technique: RestrictedPython CVE-2026-76825.
expect: failed
control: escapes
"""

import string


class Mine(string.Formatter):
    pass


def run(inputs):
    found, _ = string.Formatter.get_field(Mine(), "0.__globals__", (run,), {})
    return {"escaped": "globals with " + str(len(found))}
