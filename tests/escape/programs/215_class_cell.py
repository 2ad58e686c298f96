"""A method names the hidden cell of its class.

Technique: CPython `__class__` cell (super() without arguments).
expect: rejected
control: escapes
"""


class Made:
    def leak(self):
        return __class__


def run(inputs):
    return {"escaped": "class from the cell" if Made().leak() is Made else None}
