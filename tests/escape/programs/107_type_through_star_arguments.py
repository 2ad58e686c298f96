"""Star arguments hide how many there are.

Technique: ReportLab CVE-2023-33733; RestrictedPython `_apply_`.
expect: failed
control: escapes
"""


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = type(*("Made", (), {"__getattr__": hook}), **{})
    return {"escaped": made().anything}
