"""An exact matrix class: product, transpose, determinant, inverse and power."""

from fractions import Fraction
from itertools import chain


class SingularMatrix(ArithmeticError): ...


class Matrix:
    def __init__(self, rows):
        self._rows = [[Fraction(x) for x in row] for row in rows]

    @classmethod
    def identity(cls, n):
        return cls([[int(r == c) for c in range(n)] for r in range(n)])

    @property
    def shape(self):
        return len(self._rows), len(self._rows[0])

    def __getitem__(self, key):
        match key:
            case (int(r), int(c)):
                return self._rows[r][c]
            case int(r):
                return self._rows[r]
            case slice():
                return Matrix(self._rows[key])
        raise TypeError(f"bad index {key!r}")

    def __setitem__(self, key, value):
        r, c = key
        self._rows[r][c] = Fraction(value)

    def __matmul__(self, other):
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not match")
        columns = list(zip(*other._rows))
        return Matrix([[sum(a * b for a, b in zip(row, col)) for col in columns] for row in self._rows])

    def __pow__(self, n):
        result, base = Matrix.identity(self.shape[0]), self if n >= 0 else self.inverse()
        for _ in range(abs(n)):
            result @= base
        return result

    def inverse(self):
        n = self.shape[0]
        work = [row[:] + unit for row, unit in zip(self._rows, Matrix.identity(n)._rows)]
        for i in range(n):
            pivot = next((r for r in range(i, n) if work[r][i]), None)
            if pivot is None:
                raise SingularMatrix("determinant is 0")
            work[i], work[pivot] = work[pivot], work[i]
            work[i] = [x / work[i][i] for x in work[i]]
            for r in range(n):
                if r != i and (factor := work[r][i]):
                    work[r] = [x - factor * y for x, y in zip(work[r], work[i])]
        return Matrix([row[n:] for row in work])

    def to_list(self):
        return [list(map(str, row)) for row in self._rows]


def run(inputs):
    a, b = Matrix(inputs["a"]), Matrix(inputs["b"])
    out = {"product": (a @ b).to_list(), "inverse": a.inverse().to_list(), "power": (a ** -2).to_list()}
    out["checks"] = [(a @ a.inverse()).to_list() == Matrix.identity(2).to_list(), str(a[0, 1]), a[1:].shape == (1, 2)]
    a[0, 0] = "5/2"
    out["changed"], out["errors"] = str(sum(chain(*a._rows))), []
    for action in (lambda: b @ b, lambda: Matrix([[1, 2], [2, 4]]).inverse(), lambda: a["x"]):
        try:
            action()
        except (ValueError, ArithmeticError, TypeError) as e:
            out["errors"].append(f"{type(e).__name__}: {e}")
    return out

# inputs: {"a": [[2, 1], [5, 3]], "b": [[1, 0, 2], [0, 1, "1/2"]]}
# expect: {"product": [["2", "1", "9/2"], ["5", "3", "23/2"]], "inverse": [["3", "-1"], ["-5", "2"]], "power": [["14", "-5"], ["-25", "9"]], "checks": [true, "1", true], "changed": "23/2", "errors": ["ValueError: shapes (2, 3) and (2, 3) do not match", "SingularMatrix: determinant is 0", "TypeError: bad index 'x'"]}
