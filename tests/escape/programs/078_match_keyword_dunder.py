"""A class pattern names an attribute of the interpreter.

Technique: PEP 634 class patterns read attributes by name.
expect: rejected
control: escapes
"""


def run(inputs):
    match run:
        case object(__globals__=found):
            return {"escaped": "globals with " + str(len(found))}
    return {"escaped": None}
