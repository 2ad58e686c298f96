"""Render histograms and sparklines of numbers as text."""

import math
import statistics as st
from dataclasses import dataclass

BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass
class Bin:
    low: float
    high: float
    count: int = 0

    def __contains__(self, value: float) -> bool:
        return self.low <= value < self.high

    def label(self, width: int) -> str:
        return f"[{self.low:>{width}.1f}, {self.high:>{width}.1f})"


def make_bins(values, number):
    low, high = min(values), max(values)
    step = (high - low) / number or 1
    bins = [Bin(low + i * step, low + (i + 1) * step) for i in range(number)]
    bins[-1].high = math.nextafter(high, math.inf)
    for value in values:
        for b in bins:
            if value in b:
                b.count += 1
                break
        else:
            bins[-1].count += 1
    return bins


def bars(bins, width=20, mark="*"):
    most = max(b.count for b in bins)
    digits = max(len(f"{b.high:.1f}") for b in bins)
    for b in bins:
        length = round(width * b.count / most)
        yield f"{b.label(digits)} {mark * length:<{width}}|{b.count:3d}"


def sparkline(values):
    low, spread = min(values), max(values) - min(values)
    return "".join(BLOCKS[1 + int((v - low) / spread * (len(BLOCKS) - 2))] if spread else BLOCKS[4] for v in values)


def run(inputs):
    values = inputs["values"]
    bins = make_bins(values, inputs["bins"])
    for line in (chart := list(bars(bins))):
        print(line)
    quartiles = st.quantiles(values, n=4, method="inclusive")
    return {
        "chart": chart,
        "spark": sparkline(values),
        "flat": sparkline([2, 2]),
        "summary": "n={n} mean={mean:.2f} stdev={sd:.3f}".format(n=len(values), mean=st.mean(values), sd=st.stdev(values)),
        "quartiles": quartiles,
        "counted": sum(b.count for b in bins) == len(values),
    }

# inputs: {"bins": 4, "values": [1, 2, 2.5, 3, 3.5, 3.6, 4, 5, 5.5, 9, 2.2, 3.1]}
# expect: {"chart": ["[1.0, 3.0) ****************    |  4", "[3.0, 5.0) ********************|  5", "[5.0, 7.0) ********            |  2", "[7.0, 9.0) ****                |  1"], "spark": "▁▁▂▂▃▃▃▄▄█▂▂", "flat": "▄▄", "summary": "n=12 mean=3.70 stdev=2.086", "quartiles": [2.425, 3.3, 4.25], "counted": true}
