"""Convert between units of one dimension, exactly where the units are defined exactly."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

# Each unit as (dimension, size in the base unit, offset): base = value * size + offset.
# Source: NIST Special Publication 811, appendix B.8.
UNITS = {
    "m": ("length", Fraction(1), 0),
    "km": ("length", Fraction(1000), 0),
    "cm": ("length", Fraction(1, 100), 0),
    "mm": ("length", Fraction(1, 1000), 0),
    "in": ("length", Fraction(254, 10000), 0),
    "ft": ("length", Fraction(3048, 10000), 0),
    "yd": ("length", Fraction(9144, 10000), 0),
    "mi": ("length", Fraction(1609344, 1000), 0),
    "nmi": ("length", Fraction(1852), 0),
    "kg": ("mass", Fraction(1), 0),
    "g": ("mass", Fraction(1, 1000), 0),
    "t": ("mass", Fraction(1000), 0),
    "lb": ("mass", Fraction(45359237, 100000000), 0),
    "oz": ("mass", Fraction(45359237, 1600000000), 0),
    "l": ("volume", Fraction(1), 0),
    "ml": ("volume", Fraction(1, 1000), 0),
    "gal": ("volume", Fraction(3785411784, 1000000000), 0),
    "s": ("time", Fraction(1), 0),
    "min": ("time", Fraction(60), 0),
    "h": ("time", Fraction(3600), 0),
    "d": ("time", Fraction(86400), 0),
    "m/s": ("speed", Fraction(1), 0),
    "km/h": ("speed", Fraction(1000, 3600), 0),
    "mph": ("speed", Fraction(1609344, 3600000), 0),
    "kn": ("speed", Fraction(1852, 3600), 0),
    "B": ("data", Fraction(1), 0),
    "kB": ("data", Fraction(1000), 0),
    "KiB": ("data", Fraction(1024), 0),
    "MB": ("data", Fraction(1000**2), 0),
    "MiB": ("data", Fraction(1024**2), 0),
    "GB": ("data", Fraction(1000**3), 0),
    "GiB": ("data", Fraction(1024**3), 0),
    "K": ("temperature", Fraction(1), 0),
    "C": ("temperature", Fraction(1), Fraction(27315, 100)),
    "F": ("temperature", Fraction(5, 9), Fraction(45967, 180)),
}
PLACES_MAX = 12


def run(inputs):
    source, target = inputs["from"], inputs["to"]
    problem = check_units(source, target)
    if problem:
        return {"error": problem}
    try:
        value = Fraction(Decimal(inputs["value"]))
    except (InvalidOperation, ValueError, OverflowError):
        return {"error": f"{inputs['value']!r} is not a number"}
    converted, exact = to_decimal_text(convert(value, source, target))
    print(f"{inputs['value']} {source} = {converted} {target}")  # noqa: T201 - becomes a log line of the run
    return {"value": converted, "unit": target, "dimension": UNITS[source][0], "exact": exact}


def check_units(source, target):
    for unit in (source, target):
        if unit not in UNITS:
            same = [known for known in UNITS if known.lower() == unit.lower()]
            hint = f"; did you mean {same[0]}?" if same else ""
            return f"unknown unit {unit}{hint}"
    if UNITS[source][0] != UNITS[target][0]:
        return f"{source} is {UNITS[source][0]}, {target} is {UNITS[target][0]}"
    return None


def convert(value, source, target):
    _, source_size, source_offset = UNITS[source]
    _, target_size, target_offset = UNITS[target]
    return (value * source_size + source_offset - target_offset) / target_size


def to_decimal_text(value):
    """The value with at most PLACES_MAX decimals, and whether that is all of it."""
    scaled = value * 10**PLACES_MAX
    rounded = round(scaled)
    whole, decimals = divmod(abs(rounded), 10**PLACES_MAX)
    text = f"{whole}.{decimals:012d}".rstrip("0").rstrip(".")
    return ("-" if rounded < 0 else "") + text, rounded == scaled
