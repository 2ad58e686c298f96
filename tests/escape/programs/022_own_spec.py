"""The module specification by its global name.

Technique: pyjail class "__loader__ / __spec__ names".
expect: rejected
control: escapes
"""


def run(inputs):
    found = __spec__
    return {"escaped": "__spec__ can be named: " + repr(found)}
