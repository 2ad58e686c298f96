"""A `super` proxy knows the object and classes that it stands between.

Technique: pyjail class "super().__self_class__".
expect: failed
control: escapes
"""


def run(inputs):
    cls = getattr(super(bool, True), "__self_class__")
    return {"escaped": "class " + str(cls)}
