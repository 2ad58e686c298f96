"""Solve quadratics over the complex numbers and describe signals in polar form."""

import cmath
import math
from typing import NamedTuple


class Quadratic(NamedTuple):
    a: float
    b: float
    c: float

    @property
    def discriminant(self) -> float:
        return self.b ** 2 - 4 * self.a * self.c

    def roots(self) -> tuple[complex, complex]:
        if self.a == 0:
            raise ValueError("not quadratic")
        root = cmath.sqrt(self.discriminant)
        return (-self.b + root) / (2 * self.a), (-self.b - root) / (2 * self.a)


def show(z: complex, digits: int = 4) -> str:
    re, im = round(z.real, digits) + 0.0, round(z.imag, digits) + 0.0
    if im == 0:
        return f"{re:g}"
    return f"{re:g}{im:+g}i"


def dft(samples):
    n = len(samples)
    return [
        sum(x * cmath.exp(-2j * cmath.pi * k * t / n) for t, x in enumerate(samples)) / n
        for k in range(n)
    ]


def mandelbrot(c: complex, limit: int = 30) -> int:
    z = 0j
    for step in range(limit):
        if abs(z) > 2:
            return step
        z = z * z + c
    else:
        return limit


def run(inputs):
    solved = []
    for coefficients in inputs["equations"]:
        equation = Quadratic(*coefficients)
        try:
            x1, x2 = equation.roots()
        except ValueError as exc:
            solved.append(str(exc))
            continue
        kind = "double" if cmath.isclose(x1, x2) else "real" if x1.imag == 0 else "conjugate"
        solved.append({"kind": kind, "roots": [show(x1), show(x2)]})
    spectrum = [round(abs(z), 4) for z in dft(inputs["samples"])]
    r, phi = cmath.polar(3 + 4j)
    return {
        "solved": solved,
        "spectrum": spectrum,
        "peak": max(range(len(spectrum) // 2 + 1), key=spectrum.__getitem__),
        "polar": f"{r:.1f} at {math.degrees(phi):.2f} degrees",
        "back": show(cmath.rect(r, phi)),
        "fractal": ["".join("#" if mandelbrot(complex(x / 4, y / 2)) == 30 else "." for x in range(-8, 4)) for y in (-2, -1, 0)],
        "conjugate": str((1 + 2j).conjugate()),
    }

# inputs: {"equations": [[1, -3, 2], [1, 2, 5], [1, -4, 4], [0, 1, 1], [2, 0, 8]], "samples": [0, 1, 0, -1, 0, 1, 0, -1]}
# expect: {"solved": [{"kind": "real", "roots": ["2", "1"]}, {"kind": "conjugate", "roots": ["-1+2i", "-1-2i"]}, {"kind": "double", "roots": ["2", "2"]}, "not quadratic", {"kind": "conjugate", "roots": ["0+2i", "0-2i"]}], "spectrum": [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5, 0.0], "peak": 2, "polar": "5.0 at 53.13 degrees", "back": "3+4i", "fractal": ["........#...", "......####..", "##########.."], "conjugate": "(1-2j)"}
