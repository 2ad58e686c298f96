"""A default is evaluated where nobody looks.

Technique: pyjail class "lambda defaults".
expect: failed
control: escapes
"""


def run(inputs):
    fetch = lambda owner, read=getattr, name="__glo" + "bals__": read(owner, name)
    return {"escaped": "globals with " + str(len(fetch(run)))}
