"""The real `type` behind the name, as the type of a type.

Technique: ReportLab CVE-2023-33733.
expect: failed
control: escapes
"""


def hook(self, name):
    return "answer to " + name


def run(inputs):
    made = type(type(1))("Made", (), {"__getattr__": hook})
    return {"escaped": made().anything}
