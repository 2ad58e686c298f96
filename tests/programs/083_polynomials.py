"""Polynomials as callable objects with arithmetic, derivative and root search."""

from fractions import Fraction
from itertools import zip_longest


class Polynomial:
    """Coefficients are kept from the constant term upwards."""

    def __init__(self, *coefficients):
        coefficients = list(coefficients)
        while coefficients and coefficients[-1] == 0:
            coefficients.pop()
        self._c = tuple(coefficients)

    @property
    def degree(self):
        return len(self._c) - 1

    def __call__(self, x):
        value = 0
        for c in reversed(self._c):
            value = value * x + c
        return value

    def __add__(self, other):
        return Polynomial(*(a + b for a, b in zip_longest(self._c, other._c, fillvalue=0)))

    def __neg__(self):
        return Polynomial(*(-c for c in self._c))

    def __sub__(self, other):
        return self + (-other)

    def __mul__(self, other):
        out = [0] * (len(self._c) + len(other._c))
        for i, a in enumerate(self._c):
            for j, b in enumerate(other._c):
                out[i + j] += a * b
        return Polynomial(*out)

    def __divmod__(self, other):
        rest, quotient = list(self._c), [Fraction(0)] * max(0, self.degree - other.degree + 1)
        for shift in range(len(quotient) - 1, -1, -1):
            factor = Fraction(rest[shift + other.degree]) / other._c[-1]
            quotient[shift] = factor
            for i, c in enumerate(other._c):
                rest[i + shift] -= factor * c
        return Polynomial(*quotient), Polynomial(*rest)

    def __eq__(self, other):
        return self._c == other._c

    def derivative(self):
        return Polynomial(*[i * c for i, c in enumerate(self._c)][1:])

    def __str__(self):
        terms = []
        for power, c in reversed(list(enumerate(self._c))):
            if c:
                size = "" if abs(c) == 1 and power else str(abs(c))
                x = {0: "", 1: "x"}.get(power, f"x^{power}")
                terms.append(("-" if c < 0 else "+", size + x))
        text = " ".join(f"{sign} {term}" for sign, term in terms)
        return text.removeprefix("+ ").replace("- ", "-", 1) if text.startswith("-") else text.removeprefix("+ ") or "0"


def run(inputs):
    p, q = (Polynomial(*c) for c in (inputs["p"], inputs["q"]))
    quotient, rest = divmod(p, q)
    return {
        "p": str(p), "q": str(q), "sum": str(p + q), "product": str(p * q), "quotient": str(quotient), "rest": str(rest),
        "derivative": str(p.derivative()), "values": [p(x) for x in range(-2, 4)],
        "integer_roots": [x for x in range(-10, 11) if p(x) == 0],
        "identity": quotient * q + rest == p, "zero": str(p - p),
    }

# inputs: {"p": [6, -5, -2, 1], "q": [-1, 2]}
# expect: {"p": "x^3 - 2x^2 - 5x + 6", "q": "2x - 1", "sum": "x^3 - 2x^2 - 3x + 5", "product": "2x^4 - 5x^3 - 8x^2 + 17x - 6", "quotient": "1/2x^2 - 3/4x - 23/8", "rest": "25/8", "derivative": "3x^2 - 4x - 5", "values": [0, 8, 6, 0, -4, 0], "integer_roots": [-2, 1, 3], "identity": true, "zero": "0"}
