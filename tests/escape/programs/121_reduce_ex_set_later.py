"""The copy hook is set on a finished class.

Technique: pickle write-ups (`__reduce__` runs anything).
expect: failed
control: escapes
"""

import copy

seen = []


class Made:
    pass


def run(inputs):
    setattr(Made, "__reduce_ex__", lambda self, protocol: (seen.append, (1,)))
    copy.copy(Made())
    return {"escaped": "copy called the function" if seen else None}
