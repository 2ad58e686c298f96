"""A dataclass builds its constructor from the text of field names.

Technique: CPython bpo-39442 / dataclasses `_create_fn` (exec of built text).
expect: rejected
control: escapes
"""

import dataclasses

planted = []


class Made:
    pass


Made.__annotations__ = {"x: planted.append(1) #\n": int}


def run(inputs):
    return {"escaped": "annotations of a class were replaced"}
