"""Making a class calls a method of its members.

Technique: pyjail class "__set_name__".
expect: rejected
control: escapes
"""

seen = []


class Member:
    def __set_name__(self, owner, name):
        seen.append(owner)


class Made:
    member = Member()


def run(inputs):
    return {"escaped": "hook got " + repr(seen[0]) if seen else None}
