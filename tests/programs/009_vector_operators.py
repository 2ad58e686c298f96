"""Small vector class with overloaded operators, used to follow a drone's path."""

import math
from functools import reduce


class Vector:
    __slots__ = ("_x", "_y")

    def __init__(self, x=0.0, y=0.0):
        self._x = x
        self._y = y

    @property
    def x(self):
        return self._x

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self._x + other._x, self._y + other._y)

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return Vector(-self._x, -self._y)

    def __mul__(self, factor):
        if isinstance(factor, Vector):
            return self._x * factor._x + self._y * factor._y
        return Vector(self._x * factor, self._y * factor)

    __rmul__ = __mul__

    def __abs__(self):
        return math.hypot(self._x, self._y)

    def __eq__(self, other):
        return isinstance(other, Vector) and (self._x, self._y) == (other._x, other._y)

    def __hash__(self):
        return hash((self._x, self._y))

    def __bool__(self):
        return bool(self._x or self._y)

    def __iter__(self):
        yield self._x
        yield self._y

    def __repr__(self):
        return f"Vector({self._x:g}, {self._y:g})"


def run(inputs):
    moves = [Vector(*pair) for pair in inputs["moves"]]
    end = reduce(lambda a, b: a + b, moves, Vector())
    x, y = end
    try:
        end + 1
        refused = False
    except TypeError:
        refused = True
    return {
        "end": repr(end),
        "distance": round(sum(abs(m) for m in moves), 3),
        "straight": round(abs(end), 3),
        "doubled": list(2 * end),
        "dot": moves[0] * moves[1],
        "back": repr(end - Vector(x, y)),
        "moved": bool(end),
        "distinct": len(set(moves)),
        "first_x": moves[0].x,
        "refused": refused,
    }

# inputs: {"moves": [[3, 4], [0, -2], [3, 4], [-1, 0.5]]}
# expect: {"end": "Vector(5, 6.5)", "distance": 13.118, "straight": 8.201, "doubled": [10.0, 13.0], "dot": -8, "back": "Vector(0, 0)", "moved": true, "distinct": 3, "first_x": 3, "refused": true}
