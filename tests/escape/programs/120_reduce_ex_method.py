"""A class tells `copy` which function to call with which arguments.

Technique: pickle write-ups (`__reduce__` runs anything).
expect: rejected
control: escapes
"""

import copy

seen = []


class Made:
    def __reduce_ex__(self, protocol):
        return (seen.append, (1,))


def run(inputs):
    copy.copy(Made())
    return {"escaped": "copy called the function" if seen else None}
