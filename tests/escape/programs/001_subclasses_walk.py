"""The walk from a tuple to every class that is loaded.

Technique: pyjail class "subclass walk" (HackTricks, Bypass Python sandboxes).
expect: rejected
control: escapes
"""


def run(inputs):
    classes = ().__class__.__base__.__subclasses__()
    return {"escaped": "got %d classes" % len(classes) if classes else None}
