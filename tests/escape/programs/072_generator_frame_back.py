"""A running generator looks at who called it.

Technique: pyjail class "generator frame f_back" (CTF write-ups of gi_frame.f_back.f_globals).
expect: failed
control: escapes
"""

import operator

kept = []


def numbers():
    yield operator.attrgetter("gi_frame.f_back.f_builtins")(kept[0])


def run(inputs):
    kept.append(numbers())
    found = next(kept[0])
    return {"escaped": "builtins with " + str(len(found))}
