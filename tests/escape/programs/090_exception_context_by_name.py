"""The chain of exceptions, named at run time.

Technique: pyjail class "__context__ and __cause__".
expect: failed
control: escapes
"""


def run(inputs):
    try:
        try:
            1 / 0
        except ZeroDivisionError:
            [][1]
    except IndexError as error:
        found = getattr(error, "__context__")
    return {"escaped": repr(found) if found is not None else None}
