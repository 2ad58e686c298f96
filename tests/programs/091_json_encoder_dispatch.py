"""Serialise mixed Python values to plain JSON with functools.singledispatch."""

import json
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import singledispatch
from uuid import NAMESPACE_URL, UUID, uuid5


@singledispatch
def plain(value):
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"cannot serialise {type(value).__name__}")


@plain.register(str)
@plain.register(int)
@plain.register(float)
@plain.register(type(None))
def _(value):
    return value


@plain.register
def _(value: dict):
    return {str(plain(k)): plain(v) for k, v in value.items()}


@plain.register(list)
@plain.register(tuple)
@plain.register(deque)
def _(value):
    return [plain(v) for v in value]


plain.register(frozenset, lambda value: sorted((plain(v) for v in value), key=json.dumps))
plain.register(Decimal, str)
plain.register(UUID, str)
plain.register(Fraction, lambda f: [f.numerator, f.denominator])
plain.register(date, lambda d: d.isoformat())
plain.register(timedelta, timedelta.total_seconds)
plain.register(Enum, lambda e: e.name.lower())
plain.register(bytes, bytes.hex)


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Item:
    name: str
    price: Decimal
    colours: frozenset
    made: date


def run():
    item = Item("cup", Decimal("3.50"), frozenset({Colour.RED, Colour.BLUE}), date(2024, 5, 1))
    values = {
        "item": item, "when": datetime(2024, 5, 1, 12, 30), "took": timedelta(minutes=2), "third": Fraction(2, 6),
        "queue": deque([1, (2, 3)], maxlen=2), "counts": Counter("hello"), "id": uuid5(NAMESPACE_URL, "https://x.org"),
        "ordered": OrderedDict(b=1, a=2), "raw": b"\x00\xff", 7: None, Colour.RED: True,
    }
    out = plain(values)
    try:
        plain({"x": object()})
    except TypeError as exc:
        return out | {"error": str(exc)}

# inputs: {}
# expect: {"item": {"name": "cup", "price": "3.50", "colours": ["blue", "red"], "made": "2024-05-01"}, "when": "2024-05-01T12:30:00", "took": 120.0, "third": [1, 3], "queue": [1, [2, 3]], "counts": {"h": 1, "e": 1, "l": 2, "o": 1}, "id": "f9eb845b-d2e9-580a-a742-8e28406efc0b", "ordered": {"b": 1, "a": 2}, "raw": "00ff", "7": null, "red": true, "error": "cannot serialise object"}
