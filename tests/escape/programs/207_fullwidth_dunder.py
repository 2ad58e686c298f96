"""A fullwidth letter that Python reads as an ordinary one.

Technique: PEP 3131 NFKC class (CTF "unicode identifiers bypass a filter").
expect: rejected
control: escapes
"""


def run(inputs):
    names = run.__ｇｌｏｂａｌｓ__
    return {"escaped": "globals with " + str(len(names))}
