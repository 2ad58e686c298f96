"""`type` with three arguments makes a class with any special method.

Technique: ReportLab CVE-2023-33733 (three-argument type).
expect: failed
control: escapes
"""


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = type("Made", (), {"__getattr__": hook})
    return {"escaped": made().anything}
