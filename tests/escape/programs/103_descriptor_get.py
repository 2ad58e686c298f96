"""A descriptor runs on every read, also on reads by trusted code.

Technique: pyjail class "descriptors"; ReportLab CVE-2023-33733 (objects that lie).
expect: rejected
control: escapes
"""

seen = []


class Member:
    def __get__(self, instance, owner):
        seen.append(owner)
        return 1


class Made:
    member = Member()


def run(inputs):
    Made().member
    return {"escaped": "descriptor got " + repr(seen[0]) if seen else None}
