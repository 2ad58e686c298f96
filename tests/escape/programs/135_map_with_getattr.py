"""`map` calls `getattr` from C.

Technique: CTF class "map instead of a call".
expect: failed
control: escapes
"""


def run(inputs):
    names = list(map(getattr, [run], ["__globals__"]))[0]
    return {"escaped": "globals with " + str(len(names))}
