"""A builtin is redefined for trusted code.

Technique: RestrictedPython reserved names (`print`, `printed`).
expect: rejected
control: escapes
"""


def run(inputs):
    global print
    print = run
    return {"escaped": "print was redefined" if print is run else None}
