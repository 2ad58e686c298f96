"""The functional form of an enumeration takes special names as members.

Technique: smolagents CVE-2025-9959 (classes with special methods); CPython enum functional form.
expect: failed
control: escapes
"""

import enum


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = enum.Enum("Made", {"__getattr__": hook, "A": 1})
    return {"escaped": made.A.anything}
