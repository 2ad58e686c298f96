"""A subclass whose `get_value` gives the object that the fields then walk.

Technique: AccessControl CVE-2021-32807.
expect: failed
control: escapes
"""

import string


class Mine(string.Formatter):
    def get_value(self, key, args, kwargs):
        return run


def run(inputs):
    text = Mine().format("{anything.__globals__}")
    return {"escaped": text[:60] if "__builtins__" in text else None}
