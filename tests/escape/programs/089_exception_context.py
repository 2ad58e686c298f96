"""The chain of exceptions.

Technique: pyjail class "__context__ and __cause__"; vm2 CVE-2023-30547 (host exceptions reach the guest).
expect: rejected
control: escapes
"""


def run(inputs):
    try:
        try:
            1 / 0
        except ZeroDivisionError:
            [][1]
    except IndexError as error:
        found = error.__context__
    return {"escaped": repr(found) if found is not None else None}
