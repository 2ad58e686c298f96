"""Estimate dice and pi probabilities by Monte Carlo and compare with exact results."""

import itertools
import math
import random
import re
from collections import Counter
from fractions import Fraction


class Dice:
    NOTATION = re.compile(r"(?P<count>\d*)d(?P<sides>\d+)(?:k(?P<keep>\d+))?(?P<plus>[+-]\d+)?")

    def __init__(self, notation):
        m = self.NOTATION.fullmatch(notation)
        if m is None:
            raise ValueError(f"bad notation {notation!r}")
        self.count, self.sides = int(m["count"] or 1), int(m["sides"])
        self.keep = int(m["keep"] or self.count)
        self.plus = int(m["plus"] or 0)

    def total(self, faces):
        return sum(sorted(faces)[-self.keep:]) + self.plus

    def roll(self, rng):
        return self.total(rng.randint(1, self.sides) for _ in range(self.count))

    def distribution(self):
        outcomes = itertools.product(range(1, self.sides + 1), repeat=self.count)
        counts = Counter(map(self.total, outcomes))
        return {t: Fraction(n, self.sides ** self.count) for t, n in sorted(counts.items())}

    @property
    def mean(self):
        return sum(t * p for t, p in self.distribution().items())


def estimate_pi(rng, samples):
    inside = sum(math.hypot(rng.random(), rng.random()) <= 1 for _ in range(samples))
    return 4 * inside / samples


def run(inputs):
    rng = random.Random(7)
    report = {}
    for notation in inputs["dice"]:
        try:
            dice = Dice(notation)
        except ValueError as exc:
            report[notation] = str(exc)
            continue
        rolls = [dice.roll(rng) for _ in range(inputs["rolls"])]
        error = abs(sum(rolls) / len(rolls) - dice.mean)
        distribution = dice.distribution()
        likely = max(distribution, key=distribution.get)
        report[notation] = {
            "mean": str(dice.mean),
            "close": error < 0.5,
            "range": [min(distribution), max(distribution)],
            "likely": f"{likely} with {distribution[likely]}",
            "first": rolls[:5],
        }
    state = rng.getstate()
    a = rng.sample(range(1, 50), k=6)
    rng.setstate(state)
    b = rng.sample(range(1, 50), k=6)
    deck = [r + s for s in "SH" for r in "AKQJ"]
    rng.shuffle(deck)
    return {"dice": report, "pi": round(estimate_pi(rng, 2000), 3), "lottery": sorted(a), "same": a == b, "deck": " ".join(deck),
            "weighted": Counter(rng.choices(["win", "lose"], weights=[1, 3], k=40))["win"]}

# inputs: {"rolls": 500, "dice": ["2d6", "d20+2", "4d6k3", "3x5"]}
# expect: {"dice": {"2d6": {"mean": "7", "close": true, "range": [2, 12], "likely": "7 with 1/6", "first": [5, 10, 2, 6, 8]}, "d20+2": {"mean": "25/2", "close": true, "range": [3, 22], "likely": "3 with 1/20", "first": [20, 4, 3, 7, 10]}, "4d6k3": {"mean": "15869/1296", "close": true, "range": [3, 18], "likely": "13 with 43/324", "first": [11, 8, 14, 14, 17]}, "3x5": "bad notation '3x5'"}, "pi": 3.146, "lottery": [6, 22, 23, 28, 29, 34], "same": true, "deck": "QH KH QS JS KS AS AH JH", "weighted": 11}
