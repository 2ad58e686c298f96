"""A class claims every object, also for trusted code.

Technique: ReportLab CVE-2023-33733 (objects that lie); `__instancecheck__`.
expect: rejected
control: escapes
"""


class Claims(type):
    def __instancecheck__(cls, value):
        return True


class Made(metaclass=Claims):
    pass


def run(inputs):
    return {"escaped": "claimed" if isinstance(1, Made) else None}
