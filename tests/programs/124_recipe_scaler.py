"""Scale recipes, convert awkward amounts to kitchen fractions and merge a shopping list."""

import math
import re
from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple, Optional

VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
SMALLER = {"cup": ("tbsp", 16), "tbsp": ("tsp", 3), "kg": ("g", 1000), "l": ("ml", 1000)}
PLURALS = {"eggs": "egg", "cups": "cup", "onions": "onion"}


class Ingredient(NamedTuple):
    name: str
    amount: Optional[Fraction] = None
    unit: str = ""

    LINE = re.compile(r"(?P<amount>[\d\s/.]+)?\s*(?P<unit>cups?|tbsp|tsp|kg|g|ml|l)?\s+(?P<name>.+)")

    @classmethod
    def parse(cls, line: str) -> "Ingredient":
        for sign, text in VULGAR.items():
            line = line.replace(sign, f" {text}")
        m = cls.LINE.fullmatch(" " + line.strip() if not line.strip()[0].isdigit() else line.strip())
        amount = sum(map(Fraction, m["amount"].split())) if (m["amount"] or "").strip() else None
        unit, name = m["unit"] or "", m["name"].strip()
        return cls(PLURALS.get(name, name), amount, PLURALS.get(unit, unit))

    def __mul__(self, factor: Fraction) -> "Ingredient":
        return self if self.amount is None else self._replace(amount=self.amount * factor)

    def kitchen(self) -> "Ingredient":
        """Change to the smaller unit while the amount is below a quarter."""
        if self.amount is not None and self.amount < Fraction(1, 4) and self.unit in SMALLER:
            unit, size = SMALLER[self.unit]
            return Ingredient(self.name, self.amount * size, unit).kitchen()
        return self

    def __str__(self) -> str:
        if self.amount is None:
            return f"some {self.name}"
        whole, rest = divmod(self.amount.limit_denominator(8), 1)
        number = " ".join(str(p) for p in (whole, rest) if p) or "0"
        return " ".join(filter(None, (number, self.unit, self.name)))


def run(inputs):
    scaled, shopping = {}, defaultdict(Fraction)
    for title, recipe in inputs["recipes"].items():
        factor = Fraction(inputs["people"], recipe["serves"])
        items = [Ingredient.parse(line) * factor for line in recipe["items"]]
        scaled[title] = [str(i.kitchen()) for i in items]
        for item in items:
            if item.amount is not None:
                shopping[item.name, item.unit] += item.amount
    eggs = math.ceil(shopping["egg", ""])
    return {
        "scaled": scaled,
        "shopping": [str(Ingredient(n, a, u)) for (n, u), a in sorted(shopping.items())],
        "boxes_of_eggs": -(-eggs // 6),
        "exact": str(shopping["milk", "cup"]),
    }

# inputs: {"people": 3, "recipes": {"pancakes": {"serves": 4, "items": ["1½ cups flour", "2 eggs", "1 1/4 cup milk", "1/4 cup sugar", "salt"]}, "omelette": {"serves": 1, "items": ["3 eggs", "1 tbsp milk", "¼ tsp pepper", "0.5 onions"]}}}
# expect: {"scaled": {"pancakes": ["1 1/8 cup flour", "1 1/2 egg", "1 cup milk", "3 tbsp sugar", "some salt"], "omelette": ["9 egg", "3 tbsp milk", "3/4 tsp pepper", "1 1/2 onion"]}, "shopping": ["10 1/2 egg", "1 1/8 cup flour", "1 cup milk", "3 tbsp milk", "1 1/2 onion", "3/4 tsp pepper", "1/5 cup sugar"], "boxes_of_eggs": 2, "exact": "15/16"}
