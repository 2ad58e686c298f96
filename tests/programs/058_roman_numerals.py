"""A Roman numeral type that behaves like a number and refuses malformed numerals."""

import re
from functools import total_ordering

VALUES = {"M": 1000, "CM": 900, "D": 500, "CD": 400, "C": 100, "XC": 90, "L": 50, "XL": 40,
          "X": 10, "IX": 9, "V": 5, "IV": 4, "I": 1}
VALID = re.compile("M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")


@total_ordering
class Roman:
    def __init__(self, value):
        if isinstance(value, str):
            value = self.parse(value)
        if not 0 < value < 4000:
            raise OverflowError(f"{value} has no Roman numeral")
        self.__value = value

    @staticmethod
    def parse(text):
        text = text.strip().upper()
        if not text or not VALID.fullmatch(text):
            raise ValueError(f"malformed numeral {text!r}")
        total = 0
        for current, following in zip(text, text[1:] + " "):
            value = VALUES[current]
            total += -value if value < VALUES.get(following, 0) else value
        return total

    def __int__(self):
        return self.__value

    __index__ = __int__

    def __str__(self):
        rest, out = self.__value, ""
        for numeral, value in VALUES.items():
            while rest >= value:
                out += numeral
                rest -= value
        return out

    def __add__(self, other):
        return Roman(self.__value + int(other))

    __radd__ = __add__

    def __eq__(self, other):
        return int(self) == int(other)

    def __lt__(self, other):
        return int(self) < int(other)


def run(inputs):
    numbers, errors = [], []
    for text in inputs["numerals"]:
        try:
            numbers.append(Roman(text))
        except (ValueError, OverflowError) as e:
            errors.append(str(e))
    return {
        "values": [int(n) for n in numbers],
        "sorted": [str(n) for n in sorted(numbers)],
        "sum": str(sum(numbers, Roman(1))),
        "largest": str(max(numbers)),
        "indexed": "abcdefghijkl"[Roman("IX")],
        "round_trip": all(int(Roman(str(Roman(n)))) == n for n in range(1, 4000, 37)),
        "compare": [Roman("IV") <= 4, Roman("X") != 10, 5 > Roman("VI")],
        "errors": errors,
    }

# inputs: {"numerals": ["XIV", "mcmxciv", "IIII", "XLII", "", "IC", 4000, 9]}
# expect: {"values": [14, 1994, 42, 9], "sorted": ["IX", "XIV", "XLII", "MCMXCIV"], "sum": "MMLX", "largest": "MCMXCIV", "indexed": "j", "round_trip": true, "compare": [true, false, false], "errors": ["malformed numeral 'IIII'", "malformed numeral ''", "malformed numeral 'IC'", "4000 has no Roman numeral"]}
