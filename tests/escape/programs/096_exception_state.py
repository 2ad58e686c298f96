"""An exception can be rebuilt with any attribute.

Technique: pickle write-ups; BaseException.__setstate__.
expect: failed
control: escapes
"""


def run(inputs):
    error = ValueError("x")
    getattr(error, "__setstate__")({"args": (run,), "planted": 1})
    return {"escaped": "attribute was planted" if error.planted == 1 else None}
