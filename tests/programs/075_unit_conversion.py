"""Convert between units with a quantity type that knows its dimension."""

import re
from fractions import Fraction
from functools import total_ordering

UNITS = {
    "length": {"m": 1, "km": 1000, "cm": Fraction(1, 100), "in": Fraction(254, 10000), "ft": Fraction(3048, 10000), "mi": Fraction(1609344, 1000)},
    "mass": {"kg": 1, "g": Fraction(1, 1000), "lb": Fraction(45359237, 100000000)},
    "time": {"s": 1, "min": 60, "h": 3600, "d": 86400},
}
DIMENSION = {unit: (dim, Fraction(size)) for dim, units in UNITS.items() for unit, size in units.items()}


class UnitError(TypeError):
    pass


@total_ordering
class Quantity:
    def __init__(self, amount, unit):
        try:
            self.dimension, self._factor = DIMENSION[unit]
        except KeyError as exc:
            raise UnitError(f"unknown unit {unit}") from exc
        self._base = Fraction(amount) * self._factor
        self.unit = unit

    @classmethod
    def parse(cls, text):
        amount, unit = re.fullmatch(r"\s*([-+]?[\d./]+)\s*([a-z]+)\s*", text).groups()
        return cls(Fraction(amount), unit)

    def to(self, unit):
        result = Quantity(0, unit)
        self._check(result)
        result._base = self._base
        return result

    @property
    def amount(self):
        return self._base / self._factor

    def _check(self, other):
        if self.dimension != other.dimension:
            raise UnitError(f"{self.dimension} is not {other.dimension}")

    def __add__(self, other):
        self._check(other)
        return Quantity((self._base + other._base) / self._factor, self.unit)

    def __lt__(self, other):
        self._check(other)
        return self._base < other._base

    def __eq__(self, other):
        return self.dimension == other.dimension and self._base == other._base

    def __str__(self):
        return f"{float(self.amount):.6g} {self.unit}"


def run(inputs):
    out = []
    for text, unit in inputs["convert"]:
        try:
            out.append(f"{text} = {Quantity.parse(text).to(unit)}")
        except UnitError as e:
            out.append(f"{text}: {e}")
        except AttributeError:
            out.append(f"{text}: unreadable")
    lengths = sorted(Quantity.parse(t) for t in ("1 mi", "2 km", "5000 ft", "100 in"))
    total = sum(lengths[1:], lengths[0])
    return {"converted": out, "sorted": [str(q) for q in lengths], "total": str(total.to("km")),
            "exact": str(Quantity("1/3", "ft").to("in").amount), "equal": Quantity(60, "min") == Quantity(1, "h")}

# inputs: {"convert": [["26.2 mi", "km"], ["5 lb", "g"], ["90 min", "h"], ["3 kg", "m"], ["7 parsec", "m"], ["lots", "m"]]}
# expect: {"converted": ["26.2 mi = 42.1648 km", "5 lb = 2267.96 g", "90 min = 1.5 h", "3 kg: mass is not length", "7 parsec: unknown unit parsec", "lots: unreadable"], "sorted": ["100 in", "5000 ft", "1 mi", "2 km"], "total": "5.13588 km", "exact": "4", "equal": true}
