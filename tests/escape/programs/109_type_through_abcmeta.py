"""`ABCMeta` called as a function.

Technique: ReportLab CVE-2023-33733 (three-argument type).
expect: failed
control: escapes
"""

import abc


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = abc.ABCMeta("Made", (), {"__getattr__": hook})
    return {"escaped": made().anything}
