"""The same walk with names put together at run time, which a check of the source cannot see.

Technique: pyjail class "string concatenation of dunder names"; wanxingai/LightAgent issue 100.
expect: failed
control: escapes
"""


def run(inputs):
    classes = getattr(object, "__sub" + "classes__")()
    return {"escaped": "got %d classes" % len(classes) if classes else None}
