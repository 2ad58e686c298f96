"""Wavy low lines that Python reads as underscores.

Technique: PEP 3131 NFKC class (U+FE4F normalises to `_`).
expect: rejected
control: escapes
"""


def run(inputs):
    names = run._﹏globals_﹏
    return {"escaped": "globals with " + str(len(names))}
