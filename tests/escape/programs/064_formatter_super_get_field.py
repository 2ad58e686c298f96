"""A subclass asks its parent for the unguarded method.

Technique: RestrictedPython CVE-2026-76825.
expect: failed
control: escapes
"""

import string


class Mine(string.Formatter):
    def leak(self, value):
        return super().get_field("0.__globals__", (value,), {})[0]


def run(inputs):
    return {"escaped": "globals with " + str(len(Mine().leak(run)))}
